import type { IncomingHttpHeaders } from "node:http";
import type { Reply } from "../memory-registry.ts";
import { isRecord, jsonOf, said } from "./index-replies.ts";
import { IndexUsers } from "./index-users.ts";

export type IndexAccess = "read" | "write" | "delete";

export interface IndexImage {
  readonly id: string;
  readonly checksum?: string;
}

export interface IndexRepository {
  images: IndexImage[];
  readonly isPrivate: boolean;
  /** "deleting": a delete token was given. "deleted": a registry used it, so that the index may forget the repository. */
  state: "there" | "deleting" | "deleted";
}

export interface IndexOptions {
  /** "hub": as documented. "docker-registry": one that has its own index, redirects `/v1/users`, and checks no user. */
  readonly manner?: "hub" | "docker-registry";
  /** Registries that hold the layers: `host[:port]` each. Default: none are named. */
  readonly endpoints?: readonly string[];
  /** Results of a page that does not say `n`. */
  readonly pageSize?: number;
}

/** The index of the v1 protocol, as documented: users, repositories, tokens, search. It contains no layer. No HTTP in here. */
export class TestIndex {
  readonly accounts: IndexUsers;
  /** By `namespace/name`. */
  readonly repositories: Map<string, IndexRepository> = new Map();
  readonly endpoints: string[];
  readonly #isHub: boolean;
  readonly #pageSize: number;
  /** By signature. */
  readonly #tokens = new Map<string, { readonly repository: string; readonly access: IndexAccess }>();

  constructor({ manner = "hub", endpoints = [], pageSize = 25 }: IndexOptions = {}) {
    this.#isHub = manner === "hub";
    this.accounts = new IndexUsers(!this.#isHub);
    this.endpoints = [...endpoints];
    this.#pageSize = pageSize;
  }

  addRepository(name: string, images: readonly IndexImage[] = [], isPrivate = false): void {
    this.repositories.set(name, { images: [...images], isPrivate, state: "there" });
  }

  /** As the header names it. */
  giveToken(repository: string, access: IndexAccess): string {
    const signature = `canary-token-${this.#tokens.size + 1}`;
    this.#tokens.set(signature, { repository, access });
    return `signature=${signature},repository="${repository}",access=${access}`;
  }

  /** Whether a token was given for this access to this repository. @param authorization of the request. */
  holds(authorization: string | undefined, repository: string, access: IndexAccess): boolean {
    const [, signature = "", named, asked] =
      /^Token signature=([^,"]+),repository="([^"]+)",access=([a-z]+)$/.exec(authorization ?? "") ?? [];
    const token = this.#tokens.get(signature);
    const isSame = named === token?.repository && asked === token?.access;
    return token !== undefined && isSame && token.repository === repository && token.access === access;
  }

  /** Undefined for what is no request to an index. */
  answer(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Reply | undefined {
    const { pathname, searchParams } = new URL(url, "http://index/");
    const [, end, user] = /^\/v1\/users(?:(\/)(?:([^/]+)\/?)?)?$/.exec(pathname) ?? [];
    if (pathname === "/v1/users" && !this.#isHub) {
      return { status: 301, headers: { location: `http://${headers.host}/v1/users/` }, body: Buffer.alloc(0) };
    }
    if (pathname === "/v1/users" || end !== undefined) return this.accounts.answer(method, user, headers, body);
    if (pathname === "/v1/search") return method === "GET" ? this.#search(searchParams) : said(405, "");
    const [, path = "", kind] = /^\/v1\/repositories\/([^/]+(?:\/[^/]+)??)\/(images|auth)?$/.exec(pathname) ?? [];
    if (path === "") return undefined;
    const name = path.includes("/") ? path : `library/${path}`;
    if (kind === "auth") return method === "PUT" ? this.#authorize(name, headers) : said(405, "");
    if (kind === "images" && method === "GET") return this.#images(name, headers);
    if (kind === "images" && method === "PUT") return this.#update(name, headers, body);
    if (kind === undefined && method === "PUT") return this.#create(name, headers, body);
    if (kind === undefined && method === "DELETE") return this.#delete(name, headers);
    return said(405, "Method not allowed");
  }

  #images(name: string, headers: IncomingHttpHeaders): Reply {
    const repository = this.repositories.get(name);
    if (repository === undefined) return said(404, { error: "images not found" });
    if (headers.authorization?.startsWith("Token ") === true) {
      const isAllowed = (["read", "write"] as const).some(access => this.holds(headers.authorization, name, access));
      return isAllowed ? said(200, repository.images) : said(401, "Unauthorized");
    }
    if (repository.isPrivate || headers.authorization !== undefined) {
      const refusal = this.#refusal(headers);
      if (refusal !== undefined) return refusal;
    }
    return said(200, repository.images, this.#grants(name, "read", headers));
  }

  #create(name: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const images = this.#imagesFrom(headers, body);
    const refusal = this.#refusal(headers);
    if (refusal !== undefined) return refusal;
    if (images === undefined) return said(400, { error: "Invalid JSON" });
    const known = this.repositories.get(name)?.images ?? [];
    this.addRepository(name, [...known, ...images.filter(({ id }) => known.every(image => image.id !== id))]);
    return said(200, "", this.#grants(name, "write", headers));
  }

  /** The last step of a push, and `PUT …/images`. */
  #update(name: string, headers: IncomingHttpHeaders, body: Buffer): Reply {
    const refusal = this.holds(headers.authorization, name, "write") ? undefined : this.#refusal(headers);
    if (refusal !== undefined) return refusal;
    const repository = this.repositories.get(name);
    const images = this.#imagesFrom(headers, body);
    if (repository === undefined) return said(404, { error: "not found" });
    if (images === undefined) return said(400, { error: "Invalid JSON" });
    const changed = new Map(repository.images.map(image => [image.id, image]));
    for (const image of images) changed.set(image.id, image);
    repository.images = [...changed.values()];
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  }

  #delete(name: string, headers: IncomingHttpHeaders): Reply {
    const refusal = this.#refusal(headers);
    if (refusal !== undefined) return refusal;
    const repository = this.repositories.get(name);
    if (repository === undefined) return said(404, { error: "not found" });
    if (!this.#isHub || repository.state === "deleted") {
      this.repositories.delete(name);
      return said(200, "");
    }
    repository.state = "deleting";
    return said(202, "", this.#grants(name, "delete", headers));
  }

  /** A registry asks whether a token is right; with that of a deletion it reports what it does. */
  #authorize(name: string, { authorization }: IncomingHttpHeaders): Reply {
    const repository = this.repositories.get(name);
    if (repository === undefined) return said(404, "Not found");
    if (repository.state === "deleting" && this.holds(authorization, name, "delete")) {
      repository.state = "deleted";
      return said(200, "OK");
    }
    const isAllowed = (["read", "write"] as const).some(access => this.holds(authorization, name, access));
    return isAllowed ? said(200, "OK") : said(403, "Permission denied");
  }

  #search(query: URLSearchParams): Reply {
    const wanted = query.get("q") ?? "";
    const found = [...this.repositories.keys()].filter(name => name.includes(wanted));
    const results = found.map(name => ({ name, description: `About ${name}` }));
    const known = { query: wanted, num_results: found.length };
    if (!this.#isHub) return said(200, { ...known, results });
    const size = Math.min(Number(query.get("n") ?? this.#pageSize), this.#pageSize);
    const page = Number(query.get("page") ?? 1);
    const pages = Math.max(1, Math.ceil(found.length / size));
    if (page > pages) return said(404, { error: "page not found" });
    const some = results.slice((page - 1) * size, page * size);
    return said(200, { ...known, num_pages: pages, page, page_size: size, results: some });
  }

  /** docker-registry checks no user: it is told to leave that to an index. */
  #refusal(headers: IncomingHttpHeaders): Reply | undefined {
    const name = this.#isHub ? this.accounts.nameOf(headers) : "anyone";
    return typeof name === "string" ? undefined : name;
  }

  #grants(name: string, access: IndexAccess, headers: IncomingHttpHeaders): Record<string, string> {
    const endpoints = this.endpoints.length === 0 ? {} : { "x-docker-endpoints": this.endpoints.join(", ") };
    if (headers["x-docker-token"] !== "true") return endpoints;
    const token = this.giveToken(name, access);
    const spelled = this.#isHub ? token : `Token ${token}`;
    return { ...endpoints, "x-docker-token": spelled, "www-authenticate": `Token ${token}` };
  }

  #imagesFrom(headers: IncomingHttpHeaders, body: Buffer): readonly IndexImage[] | undefined {
    const list = jsonOf(headers["content-type"], body);
    if (!Array.isArray(list)) return undefined;
    const isImage = (image: unknown): image is IndexImage =>
      isRecord(image) && typeof image["id"] === "string" && /^(?:[0-9a-f]{16}|[0-9a-f]{64})$/.test(image["id"]);
    return list.every(isImage) ? list : undefined;
  }
}
