import { randomBytes } from "node:crypto";
import { refusal, type V1Answer, type V1Seen } from "./v1-answer.ts";
import type { V1Context } from "./v1-options.ts";

export type V1Access = "read" | "write" | "delete";

const METHODS: Readonly<Record<V1Access, readonly string[]>> = {
  read: ["GET", "HEAD"],
  write: ["PUT", "POST"],
  delete: ["DELETE"],
};

interface IssuedToken {
  readonly repository: string;
  readonly access: V1Access;
}

/** What a session cookie stands for. */
export interface V1TestSession {
  /** With a token, of this repository only. */
  readonly repository: string | undefined;
  /** Of layers that came in this session: 0.6 compares `PUT …/checksum` with them. */
  readonly checksums: Map<string, string>;
}

export class V1Tokens {
  readonly issued: Map<string, IssuedToken> = new Map();
  readonly sessions: Map<string, V1TestSession> = new Map();

  /** `signature=…,repository="ns/name",access=…` */
  issue(repository: string, access: V1Access): string {
    const token = `signature=${randomBytes(8).toString("hex")},repository="${repository}",access=${access}`;
    this.issued.set(token, { repository, access });
    return token;
  }

  /** The token of a request, if the index issued it. */
  find({ headers }: V1Seen): IssuedToken | undefined {
    return this.issued.get(/^Token (.*)$/.exec(headers.authorization ?? "")?.[1] ?? "");
  }

  /** The session of the cookie that came. */
  session({ headers }: V1Seen): V1TestSession | undefined {
    return this.sessions.get(/(?:^|;\s*)session=([0-9a-f]+)/.exec(headers.cookie ?? "")?.[1] ?? "");
  }

  /** @returns the header that sets its cookie. */
  open(session: V1TestSession): { readonly "set-cookie": string } {
    const id = randomBytes(8).toString("hex");
    this.sessions.set(id, session);
    return { "set-cookie": `session=${id}; Path=/; HttpOnly` };
  }
}

/** Basic, where the test has a user. Undefined if it is right. */
export function refuseUser({ headers }: V1Seen, { options: { user } }: V1Context): V1Answer | undefined {
  if (user === undefined) return undefined;
  const basic = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString("base64")}`;
  if (headers.authorization === basic) return undefined;
  const answer = refusal(401, "Requires authorization");
  return { ...answer, headers: { ...answer.headers, "www-authenticate": 'Basic realm="v1"' } };
}

/** What a registry with an index demands: a token of it, for this method and repository. Undefined if it is right. */
export function refuseToken(
  request: V1Seen,
  context: V1Context,
  wanted: { readonly repository?: string; readonly image?: string },
): V1Answer | undefined {
  const { tokens, options, content } = context;
  if (options.hasIndex !== true) return refuseUser(request, context);
  const token = tokens.find(request);
  const session = tokens.session(request);
  if (token === undefined) return refusal(401, "Requires authorization");
  if (!METHODS[token.access].includes(request.method)) return refusal(401, "Token of another access");
  if (wanted.repository !== undefined && wanted.repository !== token.repository) {
    return refusal(401, "Token of another repository");
  }
  if (session?.repository !== undefined && session.repository !== token.repository) {
    return refusal(401, "Session of another repository");
  }
  const listed = content.repositories.get(token.repository)?.listed ?? [];
  const isListed = options.lists === "empty" || listed.some(({ id }) => id === wanted.image);
  return wanted.image === undefined || isListed ? undefined : refusal(401, "Image is not in the index");
}
