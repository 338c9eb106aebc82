import type { IncomingHttpHeaders } from "node:http";
import type { Reply } from "../memory-registry.ts";
import { isRecord, jsonOf, said } from "./index-replies.ts";

export interface IndexUser {
  password: string;
  readonly emails: string[];
  /** False until the address is confirmed. */
  isActive: boolean;
}

/** Accounts of an index: `/v1/users/` as documented. */
export class IndexUsers {
  readonly users: Map<string, IndexUser> = new Map();
  /** docker-registry answers for an index that it is not: every login is right, every account is created. */
  readonly #takesAll: boolean;

  constructor(takesAll: boolean) {
    this.#takesAll = takesAll;
  }

  add(name: string, password: string, isActive = true): void {
    this.users.set(name, { password, emails: [`${name}@example.com`], isActive });
  }

  /** The name of the user whose password the request has; a refusal otherwise. */
  nameOf({ authorization = "" }: IncomingHttpHeaders): string | Reply {
    const pair = Buffer.from(/^Basic (.+)$/.exec(authorization)?.[1] ?? "", "base64").toString("utf8");
    const colon = pair.indexOf(":");
    const name = pair.slice(0, Math.max(colon, 0));
    const user = this.users.get(name);
    if (user === undefined || user.password !== pair.slice(colon + 1)) {
      return said(401, "Wrong login/password, please try again", { "www-authenticate": 'Basic realm="index"' });
    }
    return user.isActive ? name : said(403, "Account is not Active");
  }

  /** @param name of `/v1/users/NAME/`; undefined for `/v1/users/`. */
  answer(method: string, name: string | undefined, headers: IncomingHttpHeaders, body: Buffer): Reply {
    if (name === undefined && method === "GET") return this.#login(headers);
    const given = jsonOf(headers["content-type"], body);
    if (name === undefined && method === "POST") return this.#create(given);
    if (name !== undefined && method === "PUT") return this.#update(name, headers, given);
    return said(405, "Method not allowed");
  }

  #login(headers: IncomingHttpHeaders): Reply {
    const name = this.#takesAll ? "anyone" : this.nameOf(headers);
    return typeof name === "string" ? said(200, "OK") : name;
  }

  #create(given: unknown): Reply {
    if (this.#takesAll) return said(201, "User Created");
    if (!isRecord(given)) return said(400, { error: "Invalid JSON" });
    const { username, password, email } = given;
    if (typeof username !== "string" || !/^[a-z0-9_]{4,30}$/.test(username)) {
      return said(400, { username: ["This value must be 4 to 30 characters of [a-z0-9_]"] });
    }
    if (typeof password !== "string" || password.length < 5) return said(400, { password: ["Too short"] });
    if (typeof email !== "string" || !email.includes("@")) return said(400, { email: ["Not an address"] });
    const isKnown = [...this.users].some(([name, { emails }]) => name === username || emails.includes(email));
    if (isKnown) return said(400, "Username or email already exists");
    this.users.set(username, { password, emails: [email], isActive: false });
    return said(201, "User Created");
  }

  #update(name: string, headers: IncomingHttpHeaders, given: unknown): Reply {
    if (this.#takesAll) return said(204, "");
    const by = this.nameOf(headers);
    if (typeof by !== "string") return by;
    const user = this.users.get(name);
    if (user === undefined) return said(404, "User not found");
    if (by !== name) return said(403, "Permission denied");
    if (!isRecord(given)) return said(400, { error: "Invalid JSON" });
    const { password, email } = given;
    if (typeof password === "string") user.password = password;
    if (typeof email === "string") user.emails.push(email);
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  }
}
