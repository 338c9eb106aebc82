import { NetworkError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { addressText, type ListenAddress } from "./listen-address.ts";

interface ListenFault {
  readonly state: string;
  readonly expected: string;
  readonly hint: string;
}

const OTHER_PORT = "Name another port, or 0 for any free one.";
const OTHER_HOST = "Name 127.0.0.1, 0.0.0.0, or another address of this machine.";
const OWN_ADDRESS = "an address of this machine";

const FAULTS: ReadonlyMap<string, ListenFault> = new Map([
  ["EADDRINUSE", { state: "port in use", expected: "a free address", hint: OTHER_PORT }],
  [
    "EACCES",
    { state: "permission denied", expected: "a port that this user may use", hint: "Name a port above 1023." },
  ],
  ["EADDRNOTAVAIL", { state: "address of another machine", expected: OWN_ADDRESS, hint: OTHER_HOST }],
  ["ENOTFOUND", { state: "unknown host name", expected: OWN_ADDRESS, hint: OTHER_HOST }],
  ["EAI_AGAIN", { state: "no answer from the name service", expected: OWN_ADDRESS, hint: OTHER_HOST }],
  ["EAFNOSUPPORT", { state: "IPv6 is switched off here", expected: OWN_ADDRESS, hint: OTHER_HOST }],
  ["EINVAL", { state: "an address without its interface", expected: OWN_ADDRESS, hint: OTHER_HOST }],
  ["EMFILE", { state: "too many open files", expected: "a free address", hint: "Raise the limit of open files." }],
]);

/** Why a server cannot listen. */
export function listenFault(address: ListenAddress, cause: unknown): NetworkError {
  const { state, expected, hint } = FAULTS.get(errorCode(cause)) ?? {
    state: `refused by the system (${errorCode(cause) || "unknown reason"})`,
    expected: "a free address",
    hint: OTHER_HOST,
  };
  return new NetworkError(`Cannot serve registry on ${quote(addressText(address))}: ${state}, expected ${expected}`, {
    hint,
    cause,
  });
}
