import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { errorCode } from "../../util/error-code.ts";
import type { ServerTls } from "../access/certificate.ts";
import type { ConnectionTable } from "./connection-table.ts";

const KEEP_ALIVE_MS = 60_000;
/** The first byte of a handshake (RFC 8446 section 5.1). */
const HANDSHAKE = 22;

/** Is called for a connection that is no request, with a sentence without a subject, such as "spoke TLS to a port of HTTP". */
export type ConnectionFault = (socket: Socket, found: string) => void;

/** What connections are given to. It speaks HTTP, and TLS below it if there is a certificate. It does not listen itself. */
export interface HttpEntry {
  take(socket: Socket): void;
}

export interface HttpEntryParts {
  readonly tls: ServerTls | undefined;
  readonly connections: ConnectionTable;
  readonly onRequest: RequestListener;
  readonly onFault: ConnectionFault;
}

export function httpEntry({ tls, connections, onRequest, onFault }: HttpEntryParts): HttpEntry {
  // The table has the time limits of handshakes, heads and bodies.
  const server = createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, onRequest);
  answerFaults(server, connections, onFault);
  if (tls === undefined) return { take: socket => void server.emit("connection", socket) };
  const secureContext = createSecureContext(tls);
  return {
    take(socket) {
      const onError = (): void => void socket.destroy();
      socket.once("error", onError);
      socket.once("data", first => {
        socket.pause();
        socket.off("error", onError);
        socket.unshift(first);
        if (first[0] !== HANDSHAKE) {
          refusePlain(socket, onFault);
          return;
        }
        // Not a server of node:https: that of the single executable takes no connections from others.
        const secured = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ["http/1.1"] });
        connections.secure(socket, secured);
        server.emit("connection", secured);
      });
    },
  };
}

/** Node's own answers, but none into an answer that has begun. Broken handshakes come here, too. */
function answerFaults(server: Server, connections: ConnectionTable, onFault: ConnectionFault): void {
  server.on("clientError", (error: Error & { readonly rawPacket?: Buffer }, duplex) => {
    const socket = duplex as Socket;
    const isPlain = error.rawPacket !== undefined;
    const found = isPlain && error.rawPacket?.[0] === HANDSHAKE ? "spoke TLS to a port of plain HTTP" : tlsFault(error);
    if (found !== undefined) onFault(socket, found);
    if (!isPlain || !socket.writable || connections.isBusy(socket)) {
      socket.destroy();
      return;
    }
    const isLong = errorCode(error) === "HPE_HEADER_OVERFLOW";
    const status = isLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    socket.destroySoon();
  });
}

/** Go, nginx and Apache answer with such a sentence, and clients look for it. */
function refusePlain(socket: Socket, onFault: ConnectionFault): void {
  onFault(socket, "spoke plain HTTP to a port of TLS");
  const body = "Client sent an HTTP request to an HTTPS server: use https://\n";
  const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.on("error", () => undefined);
  socket.write(head + body);
  // Unread bytes would reset the connection before the client has the answer.
  socket.resume();
  socket.destroySoon();
}

/** @returns undefined for what has nothing to do with TLS: ports are probed all day. */
function tlsFault(error: Error): string | undefined {
  const code = errorCode(error);
  if (/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(?:UNKNOWN|EXPIRED|REVOKED))/.test(code)) {
    return `refused the certificate of this server (${code})`;
  }
  return /^ERR_SSL_/.test(code) ? `failed in the TLS handshake (${code})` : undefined;
}
