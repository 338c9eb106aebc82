import type { IncomingHttpHeaders } from "node:http";
import { jsonAnswer, refusal, type V1Answer, type V1Seen } from "./v1-answer.ts";
import type { V1Route } from "./v1-options.ts";

interface V1User {
  password: string;
  readonly emails: string[];
  /** False until the address is confirmed. */
  isActive: boolean;
}

/** Accounts of an index: `/v1/users/`, as documented. Add `route` to the routes of a server. */
export class V1Users {
  readonly users: Map<string, V1User> = new Map();
  /** docker-registry redirects `/v1/users`, takes every login and account, and keeps none. */
  readonly #isDockerRegistry: boolean;

  constructor(manner: "hub" | "docker-registry" = "hub") {
    this.#isDockerRegistry = manner === "docker-registry";
  }

  add(name: string, password: string, isActive = true): void {
    this.users.set(name, { password, emails: [`${name}@example.com`], isActive });
  }

  readonly route: V1Route = (request, _context, path) => {
    if (path === "/users" && this.#isDockerRegistry) {
      const location = `http://${request.headers.host}/v1/users/`;
      return { ...refusal(301, "Moved"), headers: { location } };
    }
    const [whole, name] = /^\/users(?:\/(?:([^/]+)\/)?)?$/.exec(path) ?? [];
    return whole === undefined ? undefined : this.#answer(request, name);
  };

  #answer(request: V1Seen, name: string | undefined): V1Answer {
    const { method, headers } = request;
    if (name === undefined && method === "GET") return this.#login(headers);
    if (name === undefined && method === "POST") return this.#create(jsonOf(request));
    if (name !== undefined && method === "PUT") return this.#update(name, headers, jsonOf(request));
    return refusal(405, "Method not allowed");
  }

  #login(headers: IncomingHttpHeaders): V1Answer {
    const name = this.#isDockerRegistry ? "anyone" : this.#nameOf(headers);
    return typeof name === "string" ? jsonAnswer(200, "OK") : name;
  }

  #create(given: Readonly<Record<string, unknown>> | undefined): V1Answer {
    if (given === undefined) return refusal(400, "Invalid JSON");
    if (this.#isDockerRegistry) return jsonAnswer(201, "User Created");
    const { username, password, email } = given;
    if (typeof username !== "string" || !/^[a-z0-9_]{4,30}$/.test(username)) {
      return jsonAnswer(400, { username: ["4 to 30 characters of [a-z0-9_]"] });
    }
    // Some servers send back what they refuse.
    if (typeof password !== "string" || password.length < 5 || password === username) {
      return jsonAnswer(400, { password: [`Too simple: ${String(password)}`] });
    }
    if (typeof email !== "string" || !email.includes("@")) return jsonAnswer(400, { email: ["No address"] });
    const isKnown = [...this.users].some(([name, { emails }]) => name === username || emails.includes(email));
    if (isKnown) return jsonAnswer(400, "Username or email already exists");
    this.users.set(username, { password, emails: [email], isActive: false });
    return jsonAnswer(201, "User Created");
  }

  #update(name: string, headers: IncomingHttpHeaders, given: Readonly<Record<string, unknown>> | undefined): V1Answer {
    const nothing: V1Answer = { status: 204, headers: {}, body: Buffer.alloc(0) };
    if (this.#isDockerRegistry) return nothing;
    const by = this.#nameOf(headers);
    if (typeof by !== "string") return by;
    const user = this.users.get(name);
    if (user === undefined) return jsonAnswer(404, "User not found");
    if (by !== name) return jsonAnswer(403, "Permission denied");
    if (given === undefined) return refusal(400, "Invalid JSON");
    const { password, email } = given;
    if (typeof password === "string") user.password = password;
    if (typeof email === "string") user.emails.push(email);
    return nothing;
  }

  /** The name of the user whose password the request has; a refusal otherwise. */
  #nameOf({ authorization = "" }: IncomingHttpHeaders): string | V1Answer {
    const pair = Buffer.from(/^Basic (.+)$/.exec(authorization)?.[1] ?? "", "base64").toString("utf8");
    const colon = pair.indexOf(":");
    const name = pair.slice(0, Math.max(colon, 0));
    const user = this.users.get(name);
    if (user === undefined || user.password !== pair.slice(colon + 1)) {
      return jsonAnswer(401, "Wrong login/password, please try again");
    }
    return user.isActive ? name : jsonAnswer(403, "Account is not Active");
  }
}

/** The object of a request; undefined unless it says that it is JSON, and is. */
function jsonOf({ headers, body }: V1Seen): Readonly<Record<string, unknown>> | undefined {
  if (headers["content-type"] !== "application/json") return undefined;
  try {
    return JSON.parse(body.toString("utf8")) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
