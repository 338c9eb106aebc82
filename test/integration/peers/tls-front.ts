import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { PrivateCa } from "./private-ca.ts";

export interface Front {
  /** host:port */
  readonly host: string;
  /** Names in the certificates that clients have shown. */
  subjects(): ReadonlySet<string>;
  close(): Promise<void>;
}

/** TLS in front of a plain registry, for clients that show a certificate of the authority. */
export async function startFront(upstream: string, ca: PrivateCa): Promise<Front> {
  const subjects = new Set<string>();
  const [hostname = "", port = ""] = upstream.split(":");
  const [cert, key, authority] = await Promise.all(
    [ca.serverCert, ca.serverKey, ca.ca].map(async file => await readFile(file)),
  );
  const server = createServer(
    { ...(cert && key && authority ? { cert, key, ca: authority } : {}), requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      subjects.add(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      const { method, url, headers } = request;
      const forwarded = { ...headers, "x-forwarded-proto": "https" };
      const inner = httpRequest({ hostname, port, method, path: url, headers: forwarded }, answer => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      inner.once("error", () => response.destroy());
      request.pipe(inner);
    },
  );
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    subjects: () => subjects,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
