{{- define "rooms.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/* Of everything; with (list . "web") of one kind. */}}
{{- define "rooms.labels" -}}
{{ include "rooms.selector" . }}
{{- with first . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- end }}

{{- define "rooms.selector" -}}
{{- with first . -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "rooms.image" -}}
{{ required "image.repository is missing: where the application's image lies, such as registry.example.org/owner/repository/app." .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "rooms.secret" -}}
{{ .Values.secrets.existing | default (include "rooms.name" .) }}
{{- end }}

{{/* Which Secret has the addresses. */}}
{{- define "rooms.addresses" -}}
{{- if .Values.secrets.existing -}}
{{ .Values.secrets.existing }}
{{- else if .Values.trial.enabled -}}
{{ include "rooms.name" . }}-trial
{{- else -}}
{{ include "rooms.name" . }}-addresses
{{- end -}}
{{- end }}

{{/* What cannot be said by the schema. */}}
{{- define "rooms.check" -}}
{{- if not .Values.hosts }}{{ fail "hosts is missing: the names that the site is reached by, such as [rooms.example.org]." }}{{ end -}}
{{- if and (not .Values.secrets.existing) (not .Values.trial.enabled) (not .Values.database.url) }}
{{- fail "database.url is missing: postgres://user:password@host:5432/name, or secrets.existing with a Secret that has DATABASE_URL." }}
{{- end -}}
{{- if and .Values.storage.url .Values.storage.claim }}
{{- fail "storage.url and storage.claim are both set: files are kept in one place." }}
{{- end -}}
{{- if and .Values.secrets.env (not .Values.secrets.existing) }}
{{- fail "secrets.env names variables of secrets.existing, which is missing." }}
{{- end -}}
{{- if and .Values.trial.enabled (or .Values.secrets.existing .Values.database.url .Values.redis.url) }}
{{- fail "trial.enabled brings a Postgres and a Redis of its own: without secrets.existing, database.url and redis.url." }}
{{- end -}}
{{- if and .Values.trial.enabled (eq .Values.migrate.by "hook") }}
{{- fail "trial.enabled needs migrate.by=init: a hook runs before there is a Postgres." }}
{{- end -}}
{{- if lt (int .Values.leaving.graceSeconds) (add .Values.leaving.preStopSeconds 30 | int) }}
{{- fail (printf "leaving.graceSeconds is %d and must be at least 30 more than preStopSeconds: what is killed before loses sockets without a goodbye." (int .Values.leaving.graceSeconds)) }}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs is missing: the Gateway that leads here, such as [{name: public, namespace: gateways}]." }}
{{- end -}}
{{- end }}

{{/* The variables of every process: those of docker-compose.yml. */}}
{{- define "rooms.env" -}}
- {name: SECRET_KEY, valueFrom: {secretKeyRef: {name: {{ include "rooms.secret" . }}, key: SECRET_KEY}}}
- {name: VAPID_KEY, valueFrom: {secretKeyRef: {name: {{ include "rooms.secret" . }}, key: VAPID_KEY, optional: true}}}
- {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: {{ include "rooms.addresses" . }}, key: DATABASE_URL}}}
- {name: REDIS_URL, valueFrom: {secretKeyRef: {name: {{ include "rooms.addresses" . }}, key: REDIS_URL, optional: true}}}
{{- if .Values.storage.claim }}
- {name: STORAGE_URL, value: "file:///files"}
{{- else }}
- {name: STORAGE_URL, valueFrom: {secretKeyRef: {name: {{ include "rooms.addresses" . }}, key: STORAGE_URL, optional: true}}}
{{- end }}
- {name: ALLOWED_HOSTS, value: {{ join "," .Values.hosts | quote }}}
- {name: HTTPS, value: {{ ternary "1" "0" .Values.https | quote }}}
- {name: PROXY_HOPS, value: "1"}
- {name: METRICS_PORT, value: "9100"}
- {name: DRAIN_SECONDS, value: {{ .Values.leaving.drainSeconds | quote }}}
{{- range $name, $value := .Values.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- range .Values.secrets.env }}
- {name: {{ . }}, valueFrom: {secretKeyRef: {name: {{ $.Values.secrets.existing }}, key: {{ . }}}}}
{{- end }}
{{- end }}

{{/* Only for who migrates: the owner's address, and what there must be room for. */}}
{{- define "rooms.migrateEnv" -}}
{{ include "rooms.env" . }}
- {name: MIGRATE_DATABASE_URL, valueFrom: {secretKeyRef: {name: {{ include "rooms.addresses" . }}, key: MIGRATE_DATABASE_URL, optional: true}}}
- {name: REPLICAS, value: {{ ternary .Values.ws.autoscaling.max .Values.ws.replicas .Values.ws.autoscaling.enabled | quote }}}
- {name: DATABASE_CONNECTIONS, value: {{ .Values.database.connections | quote }}}
- {name: REDIS_CONNECTIONS, value: {{ .Values.redis.connections | quote }}}
{{- end }}

{{- define "rooms.migrator" -}}
image: {{ include "rooms.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "rooms.migrateEnv" . | nindent 2 }}
resources:
  {{- toYaml .Values.migrate.resources | nindent 2 }}
{{- include "rooms.confined" . | nindent 0 }}
{{- end }}

{{/* "restricted", as Kubernetes' pod security calls it. The number is the image's; any other works as well. */}}
{{- define "rooms.podSecurity" -}}
automountServiceAccountToken: false
# A Service called `metrics` would set METRICS_PORT.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "rooms.confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "rooms.volumes" -}}
volumes:
  - name: tmp
    emptyDir: {medium: Memory, sizeLimit: 32Mi}
{{- end }}

{{- define "rooms.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* A Deployment of servers, given (dict "root" . "role" "web" "command" (list …)). */}}
{{- define "rooms.deployment" -}}
{{- include "rooms.check" .root -}}
{{- $root := .root }}{{ $role := .role }}{{ $own := index .root.Values .role -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "rooms.name" $root }}-{{ $role }}
  labels:
    {{- include "rooms.labels" (list $root $role) | nindent 4 }}
spec:
  {{- if not $own.autoscaling.enabled }}
  replicas: {{ $own.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: {{ $root.Values.maxSurge }}}
  selector:
    matchLabels:
      {{- include "rooms.selector" (list $root $role) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "rooms.labels" (list $root $role) | nindent 8 }}
      annotations:
        # Another address is another pod. By scrypt: what stands here must not help to guess a password.
        rooms/addresses: {{ derivePassword 1 "long" (printf "%s %s" $root.Values.database.url $root.Values.redis.url) "rooms" $root.Release.Name | quote }}
        {{- with $root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "rooms.podSecurity" $root | nindent 6 }}
      {{- with include "rooms.placement" $root | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ $root.Values.leaving.graceSeconds }}
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels:
              {{- include "rooms.selector" (list $root $role) | nindent 14 }}
        {{- end }}
      {{- if eq $root.Values.migrate.by "init" }}
      initContainers:
        - name: migrate
          command: [python, manage.py, migrate, --noinput]
          {{- include "rooms.migrator" $root | nindent 10 }}
      {{- end }}
      containers:
        - name: {{ $role }}
          image: {{ include "rooms.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: {{ toJson .command }}
          env:
            {{- include "rooms.env" $root | nindent 12 }}
          ports:
            - {name: http, containerPort: 8000}
            - {name: metrics, containerPort: 9100}
          # The same as in docker-compose.yml. Neither asks Postgres or Redis: a process that is well is not restarted
          # for what ails another one.
          startupProbe:
            exec: {command: [python, -I, -S, realtime/check.py, {{ $role }}]}
            periodSeconds: 1
            timeoutSeconds: 3
            failureThreshold: 60
          livenessProbe:
            exec: {command: [python, -I, -S, realtime/check.py, {{ $role }}]}
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          # Postgres answers, has all migrations, and the process stays.
          readinessProbe:
            httpGet: {path: /health/ready, port: http}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 3
          lifecycle:
            preStop: {exec: {command: [sleep, {{ $root.Values.leaving.preStopSeconds | quote }}]}}
          resources:
            {{- toYaml $own.resources | nindent 12 }}
          {{- include "rooms.confined" $root | nindent 10 }}
            {{- if $root.Values.storage.claim }}
            - {name: files, mountPath: /files}
            {{- end }}
      {{- include "rooms.volumes" $root | nindent 6 }}
        {{- with $root.Values.storage.claim }}
        - name: files
          persistentVolumeClaim: {claimName: {{ . }}}
        {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "rooms.name" $root }}-{{ $role }}
  labels:
    {{- include "rooms.labels" (list $root $role) | nindent 4 }}
spec:
  selector:
    {{- include "rooms.selector" (list $root $role) | nindent 4 }}
  ports:
    - {name: http, port: 8000, targetPort: http}
    - {name: metrics, port: 9100, targetPort: metrics}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "rooms.name" $root }}-{{ $role }}
  labels:
    {{- include "rooms.labels" (list $root $role) | nindent 4 }}
spec:
  maxUnavailable: {{ $root.Values.disruption.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "rooms.selector" (list $root $role) | nindent 6 }}
{{- end }}
