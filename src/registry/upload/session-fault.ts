import { RegistryError } from "../../errors.ts";

/** Distribution specification, "Error Codes". DIGEST_INVALID: the bytes were checked here, so they changed on the way. */
const SESSION_CODES: ReadonlySet<string> = new Set(["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DIGEST_INVALID"]);

/** The session is lost or spoilt; another one may succeed. */
export function isSessionFault(error: unknown): error is RegistryError {
  if (!(error instanceof RegistryError) || error.transient) return false;
  return error.status === 404 || error.status === 416 || error.codes.some(code => SESSION_CODES.has(code));
}

/** False when the registry has the session, but refuses the bytes. */
export function isLost({ status, codes }: RegistryError): boolean {
  return status === 404 || status === 416 || codes.some(code => code.startsWith("BLOB_UPLOAD_"));
}

/** A session fault as an error that is retried. */
export function asTransient(error: RegistryError): RegistryError {
  const { message, hint, status, codes } = error;
  return new RegistryError(message, { hint, status, codes, cause: error, transient: true });
}
