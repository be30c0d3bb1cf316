/** What the browser module takes and gives. */

export interface Person {
  /** The same wherever this person appears. */
  key: string;
  name: string;
  guest: boolean;
}

export interface Event {
  topic: string;
  /** 1, 2, 3… in the topic, without a hole. */
  seq: number;
  id: string;
  by: Person | null;
  data: any;
  /** RFC 3339 in UTC. */
  at: string;
}

export interface Change {
  topic: string;
  seq: number;
  /** The number of the event that has other data now, or was retracted. */
  about: number;
  by: Person | null;
  data?: any;
  retracted?: true;
  at: string;
}

/** What an event that grows says so far. */
export interface More {
  topic: string;
  seq: number;
  /** All of it. */
  text: string;
}

export interface Signal {
  topic: string;
  by: Person | null;
  data: any;
}

export interface Ack {
  id: string;
  /** Null where the topic took it and appended nothing. */
  seq: number | null;
  at: string | null;
}

export interface Entry {
  topic: string;
  id: string;
  data: any;
}

export interface Unsent extends Entry {
  /** On its way at this moment. */
  sending: boolean;
  /** For people: why it has to wait, where the server has said so. */
  why?: string;
}

/** What the server did not take. */
export interface Refusal extends Error {
  code: string;
  detail: string;
  topic?: string;
  id?: string;
  data?: unknown;
  /** Milliseconds, where waiting helps. */
  retryAfter?: number;
}

export interface State {
  name: "connecting" | "online" | "offline" | "closed";
  /** Online, but without a socket. */
  http?: true;
  /** Offline: when it dials again, as Date.now() says it. Absent where there is no network. */
  until?: number;
  /** Offline, and the server said for how long. */
  ordered?: boolean;
  /** Who one is, once the server has said so. */
  you?: Person;
  /** That is somebody else than whom the page was for: what she has not sent stays hers. Nothing is sent before this
   * is told, nor ever if the page closes the connection then. */
  changed?: boolean;
  /** Closed for good: the code of docs/protocol.md, such as 4401. Absent where the page closed it. */
  code?: number;
}

export interface Connect {
  /** Of the socket; "/ws/" unless told otherwise. */
  url?: string;
  /** Of topics over HTTP; "/topics/" unless told otherwise. */
  http?: string;
  /** The key of the person for whom the page was made, so that nothing is ever sent as somebody else. */
  key?: string;
  /** Gives a token or a ticket, for a page without the site's cookies. Asked again for each socket, stream and request. */
  secret?: () => string | Promise<string>;
  onState?(state: State): void;
}

export interface Options {
  /** As in `Connect`. */
  key?: string;
  /** The last number that the page shows, and its epoch. */
  since?: number;
  epoch?: string;
  onEvent?(event: Event): void;
  onChange?(change: Change): void;
  onMore?(more: More): void;
  onSignal?(signal: Signal): void;
  onMembers?(members: Person[], count: number): void;
  onUnread?(unread: number): void;
  onUnsent?(unsent: Unsent[]): void;
  onReset?(): void;
  onState?(state: State): void;
  onError?(error: Refusal): void;
}

export interface Topic {
  readonly name: string;
  readonly epoch: string;
  readonly seq: number | undefined;
  readonly joined: boolean;
  readonly members: Person[];
  readonly memberCount: number;
  readonly unsent: Unsent[];
  send(data: unknown, options?: { id?: string }): Promise<Ack>;
  signal(data: unknown): void;
  read(seq?: number): void;
  cancel(seq: number): void;
  leave(): void;
}

export interface Topics {
  /** Who one is, once the server has said so. */
  readonly you: Person | undefined;
  readonly state: State;
  join(topic: string | HTMLElement, options?: Options): Topic;
  hurry(): void;
  close(): void;
}

/** A WebSocket, or a stream of events. */
export interface Dialled {
  readonly readyState?: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send?(data: string): void;
  close(): void;
}

/** What a topic asks of its page's connection. */
export interface Page {
  readonly you: Person | undefined;
  readonly outbox: { of(topic: string): Unsent[]; acked(frame: Frame): void; wake(): void };
  send(topic: string, data: unknown, id?: string): Promise<Ack>;
  say(frame: object): void;
  cancel(topic: string, seq: number): void;
  rejoin(topic: Topic): void;
  leave(topic: any): void;
  forget(topic: any): void;
}

/** Any frame of topics.v1. */
export type Frame = Record<string, any>;
