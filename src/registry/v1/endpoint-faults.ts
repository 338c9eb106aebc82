import { AuthError, ImgpackError, NetworkError, NotFoundError, RegistryError } from "../../errors.ts";
import { subject } from "../http/network-error.ts";
import type { V1Call } from "./v1-call.ts";

interface Fault {
  readonly host: string;
  readonly error: unknown;
}

/** The error of endpoints that were tried in turn: that of the only one, or one that lists all. */
export function joinFaults({ verb, what }: V1Call, where: string, faults: readonly Fault[]): unknown {
  const last = faults.at(-1)?.error;
  if (faults.length === 1 || !(last instanceof ImgpackError)) return last;
  const errors = faults.map(({ error }) => error).filter(error => error instanceof ImgpackError);
  const states = faults.map(({ host, error }) => `${host}: ${stateOf(error)}`).join("; ");
  const message = `Cannot ${subject(verb, what, where)}: none of its ${faults.length} endpoints answers (${states}), expected one that does`;
  const details = { hint: last.hint, cause: last, transient: errors.some(({ transient }) => transient) };
  // A registry that has it may be the one that does not answer.
  if (errors.every(error => error instanceof NotFoundError)) return new NotFoundError(message, details);
  if (errors.every(error => error instanceof AuthError)) return new AuthError(message, details);
  const answered = errors.find(error => error instanceof RegistryError);
  if (answered !== undefined) return new RegistryError(message, { ...details, status: answered.status });
  return new NetworkError(message, details);
}

/** What follows "Cannot … from …: " in a message. */
function stateOf(error: unknown): string {
  const text = error instanceof Error ? error.message : "";
  const from = text.indexOf(": ");
  return from === -1 ? text : text.slice(from + 2).replace(/, expected .*$/s, "");
}
