import { AuthError, type ImgpackError, RegistryError } from "../../errors.ts";
import { formatBytes } from "../../util/format.ts";
import { subject } from "../http/network-error.ts";
import { type ResponseContext, responseError } from "../http/response-error.ts";
import { isWebPage } from "../http/web-page.ts";
import { withoutSecrets } from "./without-secrets.ts";

const GONE_HINT =
  'Leave out "v1://" if it has moved on to the v2 API; --v1-path names what comes before /v1 in the addresses of this server.';

/** Who refuses. */
export interface Refuser {
  /** `host[:port]` */
  readonly registry: string;
  /** The index that gave the token, if it is another host. */
  readonly tokenFrom?: string | undefined;
  /** What no message may contain, even if the server sends it back. */
  readonly secrets: readonly string[];
}

/** A refusal in the words of this protocol. */
export function explainV1({ registry, tokenFrom, secrets }: Refuser, refusal: ResponseContext): ImgpackError {
  const { verb, what, where, status } = refusal;
  const text = Buffer.from(refusal.body.subarray(0, 4096)).toString("utf8");
  const action = `Cannot ${subject(verb, what, where)}`;
  if (status === 400 && /being uploaded/i.test(text)) {
    return uploadingError(action, "images/ID/_inprogress in the storage on the server");
  }
  if (isGone(refusal, text)) return goneError(action, registry, status);
  if ((status === 401 || status === 403) && /\bnot (?:yet )?(?:been )?activ|inactive/i.test(text)) {
    return new AuthError(`${action}: status ${status}, account not active, expected an active one`, {
      hint: "Confirm the account as the registry's mail says, or ask who runs the registry.",
    });
  }
  const body = withoutSecrets(text, secrets);
  const login = `imgpack hub login v1://${registry}`;
  const error = responseError({ ...refusal, login, ...(body === text ? {} : { body: Buffer.from(body) }) });
  if (tokenFrom === undefined || !(error instanceof AuthError)) return error;
  const hint = `Access to ${registry} depends on the token of ${tokenFrom}: log in there as a user who may do this, with "imgpack hub login v1://${tokenFrom}".`;
  return new AuthError(error.message, { hint });
}

/** @param marker file that an interrupted push leaves. */
export function uploadingError(action: string, marker: string): RegistryError {
  return new RegistryError(`${action}: the image is being uploaded, expected a complete one`, {
    status: 400,
    hint: `If nothing is pushing it, its push was interrupted: remove ${marker}.`,
  });
}

/** @param action begins the message: `Cannot read tags from registry.lan`. */
export function goneError(action: string, registry: string, status: number): RegistryError {
  const found = status === 200 ? "a web page" : `status ${status}`;
  return new RegistryError(`${action}: ${registry} no longer serves the v1 API (${found}), expected an answer of it`, {
    status,
    hint: GONE_HINT,
  });
}

/** A registry says what it does not have in JSON. The plain text is what Go's server says to an unknown path. */
function isGone({ status, body }: ResponseContext, text: string): boolean {
  if (status === 405 || status === 410) return true;
  if (status === 404 && text.startsWith("404 page not found")) return true;
  return (status === 200 || status === 404) && isWebPage({}, body);
}

export function answerTooLong(verb: string, what: string, where: string, maxBytes: number): RegistryError {
  return new RegistryError(
    `Cannot ${subject(verb, what, where)}: found more than ${formatBytes(maxBytes)}, expected at most ${formatBytes(maxBytes)}`,
    { status: 200, hint: "The registry, or a proxy in front of it, is misconfigured or hostile." },
  );
}
