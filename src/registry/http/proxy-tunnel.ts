import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { NetworkError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { startDeadline } from "../../util/time/deadline.ts";
import { PROBE_AFTER_MS } from "./probe-after.ts";
import type { HttpProxy } from "./proxy-settings.ts";
import { tlsOptions } from "./tls-options.ts";

const CONNECT_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;
/** Transient answers of a proxy. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * A connection through a proxy to `host:port` (RFC 9110, section 9.3.6). A proxy that refuses is an error, never a
 * reason to connect directly (security case A-21).
 *
 * @param target As in a Host header: IPv6 in brackets, always with the port.
 */
export async function openTunnel(proxy: HttpProxy, target: string): Promise<Socket> {
  const isTls = proxy.url.protocol === "https:";
  const request = isTls ? (await import("node:https")).request : httpRequest;
  return await new Promise<Socket>((resolve, reject) => {
    const outgoing = request(proxy.url, {
      method: "CONNECT",
      path: target,
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        host: target,
        ...(proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization }),
      },
      ...(isTls ? tlsOptions({}) : {}),
    });
    const onLate = (): void => void outgoing.destroy(refused(proxy, target, "no answer in time", true));
    const stop = startDeadline(CONNECT_MS, onLate);
    outgoing.once("connect", (answer, socket: Socket, head: Buffer) => {
      stop();
      const status = answer.statusCode ?? 0;
      if (status === 200 && head.length === 0) {
        socket.setKeepAlive(true, PROBE_AFTER_MS);
        resolve(socket);
        return;
      }
      socket.destroy();
      const found = status === 200 ? "bytes before the first of ours" : `status ${status}`;
      reject(refused(proxy, target, found, TRANSIENT.has(status), status));
    });
    outgoing.once("error", cause => {
      stop();
      reject(
        cause instanceof NetworkError ? cause : refused(proxy, target, foundIn(cause), isPassing(cause), 0, cause),
      );
    });
    outgoing.end();
  });
}

function refused(
  proxy: HttpProxy,
  target: string,
  found: string,
  transient: boolean,
  status = 0,
  cause?: unknown,
): NetworkError {
  const hint =
    status === 407
      ? "The proxy wants a user name and a password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT."
      : "Check HTTPS_PROXY, or name hosts that need no proxy in NO_PROXY.";
  const message = `Cannot connect to ${target} through proxy ${proxy.url.host}: ${found}, expected a tunnel`;
  return new NetworkError(message, { hint, transient, cause });
}

function foundIn(cause: unknown): string {
  const code = errorCode(cause);
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ENOTFOUND") return "unknown host name";
  return code === "ECONNRESET" ? "connection reset" : "connection failure";
}

function isPassing(cause: unknown): boolean {
  return errorCode(cause) === "ECONNRESET" || errorCode(cause) === "EAI_AGAIN" || errorCode(cause) === "ETIMEDOUT";
}
