import { sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { TEST_TLS } from "../../support/test-tls.ts";

export interface TokenServerOptions {
  readonly username: string;
  readonly password: string;
  /** What a refresh token grant must bring; without it there is no such grant. */
  readonly refreshToken?: string;
}

export interface TokenServer {
  /** What docker-registry needs to trust its tokens; `rootCertificates` is a file with `certificate` in it. */
  registryEnv(rootCertificates: string): Readonly<Record<string, string>>;
  readonly certificate: string;
  /** `METHOD kind scopes` of every request: kind is "basic", "refresh" or "anonymous". */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const SERVICE = "peers";
const ISSUER = "imgpack-peers";
const LIFE_SECONDS = 300;

/** A token server (distribution specs "token" and "oauth") that gives its one user all that is asked for. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response, options, requests).catch(() => response.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    certificate: TEST_TLS.cert,
    registryEnv: rootCertificates => ({
      REGISTRY_AUTH_TOKEN_REALM: `http://127.0.0.1:${port}/token`,
      REGISTRY_AUTH_TOKEN_SERVICE: SERVICE,
      REGISTRY_AUTH_TOKEN_ISSUER: ISSUER,
      REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE: rootCertificates,
    }),
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { username, password, refreshToken }: TokenServerOptions,
  requests: string[],
): Promise<void> {
  const { searchParams } = new URL(request.url ?? "", "http://token/");
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const form = new URLSearchParams(Buffer.concat(parts).toString());
  const isForm = request.method === "POST";
  const authorization = request.headers.authorization;
  const kind = isForm ? "refresh" : authorization === undefined ? "anonymous" : "basic";
  const scopes = isForm ? (form.get("scope") ?? "").split(" ").filter(Boolean) : searchParams.getAll("scope");
  requests.push(`${request.method} ${kind} ${scopes.join(" ")}`.trim());
  const isAllowed = isForm
    ? refreshToken !== undefined && form.get("refresh_token") === refreshToken
    : authorization === `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const body = isAllowed
    ? { access_token: tokenFor(username, scopes), token: tokenFor(username, scopes), expires_in: LIFE_SECONDS }
    : { errors: [{ code: "UNAUTHORIZED", message: "wrong credentials" }] };
  response.writeHead(isAllowed ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function tokenFor(subject: string, scopes: readonly string[]): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: "JWT", alg: "ES256", x5c: [TEST_TLS.cert.replace(/-----[^-]*-----|\s/g, "")] };
  const access = scopes.map(scope => {
    const [type, name, actions = ""] = scope.split(":");
    return { type, name, actions: actions.split(",") };
  });
  const claims = {
    iss: ISSUER,
    sub: subject,
    aud: SERVICE,
    iat: now,
    nbf: now - 10,
    exp: now + LIFE_SECONDS,
    jti: `${now}`,
    access,
  };
  const text = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(text), { key: TEST_TLS.key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
