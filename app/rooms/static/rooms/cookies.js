// Whether the browser keeps cookies for this site. navigator.cookieEnabled says yes also where a setting blocks them.

export function keepsCookies() {
  document.cookie = "kept=1; SameSite=Lax";
  const kept = document.cookie.includes("kept=1");
  document.cookie = "kept=; Max-Age=0; SameSite=Lax";
  return kept;
}
