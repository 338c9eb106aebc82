const SECRET_QUERY =
  /([?&](?:X-Amz-Signature|X-Amz-Security-Token|X-Amz-Credential|Signature|sig|se|token|access_token|refresh_token|password|_state)=)[^&\s"']+/gi;
const USERINFO = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"']{1,512}@/gi;
const AUTHORIZATION = /\b(Basic|Bearer)\s+[A-Za-z0-9._~+/=-]{8,}/g;

/**
 * Removes credentials from text for people and logs: user information in URLs, signatures and tokens in queries, upload
 * session state, and Authorization values.
 */
export function redact(text: string): string {
  return text
    .replace(SECRET_QUERY, "$1[redacted]")
    .replace(USERINFO, "$1[redacted]@")
    .replace(AUTHORIZATION, "$1 [redacted]");
}
