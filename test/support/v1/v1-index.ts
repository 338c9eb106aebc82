import { jsonAnswer, jsonBody, refusal, type V1Answer, type V1Seen } from "./v1-answer.ts";
import type { V1Context, V1Route } from "./v1-options.ts";
import { fullName } from "./v1-reading.ts";
import { refuseUser, type V1Access } from "./v1-tokens.ts";

/** What an index answers: lists of images, tokens, endpoints, search, announcing and deleting. A standalone registry has it too. */
export const indexRoute: V1Route = (request, context, path) => {
  const { method } = request;
  if (path === "/_ping" && method === "GET") return jsonAnswer(200, true);
  if (path === "/search" && method === "GET") return search(request, context);
  const [, image] = /^\/repositories\/((?:[^/]+\/)?[^/]+)\/images$/.exec(path) ?? [];
  if (image !== undefined && method === "GET") return listed(request, context, fullName(image));
  if (image !== undefined && method === "PUT") return putList(request, context, fullName(image));
  const [, repository] = /^\/repositories\/((?:[^/]+\/)?[^/]+)\/$/.exec(path) ?? [];
  if (repository !== undefined && method === "PUT") return announce(request, context, fullName(repository));
  const isIndex = context.options.hasIndex === true;
  if (repository !== undefined && method === "DELETE" && isIndex) return remove(request, context, fullName(repository));
  const [, authorized] = /^\/repositories\/((?:[^/]+\/)?[^/]+)\/auth$/.exec(path) ?? [];
  if (authorized !== undefined && method === "PUT" && isIndex) return auth(request, context, fullName(authorized));
  return undefined;
};

function listed(request: V1Seen, context: V1Context, name: string): V1Answer {
  const repository = context.content.repositories.get(name);
  if (repository?.isPrivate === true || context.options.hasIndex !== true) {
    const refused = refuseUser(request, context);
    if (refused !== undefined) return refused;
  }
  if (repository === undefined) return refusal(404, "images not found");
  const list = context.options.lists === "empty" ? [] : repository.listed;
  return jsonAnswer(200, list, sessionHeaders(request, context, name, "read"));
}

function announce(request: V1Seen, context: V1Context, name: string): V1Answer {
  const refused = refuseUser(request, context);
  if (refused !== undefined) return refused;
  const list = jsonBody(request);
  if (!Array.isArray(list)) return refusal(400, "Error Decoding JSON");
  const repository = context.content.repository(name);
  for (const entry of list as { id: string; Tag?: string }[]) {
    if (!repository.listed.some(({ id }) => id === entry.id)) repository.listed.push(entry);
  }
  return jsonAnswer(200, "", sessionHeaders(request, context, name, "write"));
}

function putList(request: V1Seen, context: V1Context, name: string): V1Answer {
  const { content, options, tokens } = context;
  // Docker sends the token here, or the user.
  if (options.hasIndex !== true || tokens.find(request) === undefined) {
    const refused = refuseUser(request, context);
    if (refused !== undefined) return refused;
  }
  const list = jsonBody(request);
  if (!Array.isArray(list)) return refusal(400, "Error Decoding JSON");
  const known = content.repositories.get(name);
  if (known === undefined) return refusal(404, "Repository not found");
  for (const entry of list as { id: string; checksum?: string }[]) {
    const place = known.listed.findIndex(({ id }) => id === entry.id);
    if (place < 0) known.listed.push(entry);
    else known.listed[place] = { ...known.listed[place], ...entry };
  }
  return { status: 204, headers: {}, body: Buffer.alloc(0) };
}

/** The first request marks the repository; the endpoints delete it; the second one forgets it. */
function remove(request: V1Seen, context: V1Context, name: string): V1Answer {
  const refused = refuseUser(request, context);
  if (refused !== undefined) return refused;
  const repository = context.content.repositories.get(name);
  if (repository === undefined) return refusal(404, "Repository not found");
  // The first step, which may come again if its answer was lost; the last one asks for no token.
  if (!repository.isBeingDeleted || request.headers["x-docker-token"] === "true") {
    repository.isBeingDeleted = true;
    return jsonAnswer(202, "", sessionHeaders(request, context, name, "delete"));
  }
  // The last step names the registries.
  if (request.headers["x-docker-endpoints"] === undefined) return jsonAnswer(202, "");
  if (repository.tags.size > 0) return refusal(400, "Still at the registry");
  context.content.repositories.delete(name);
  return jsonAnswer(200, "");
}

function auth(request: V1Seen, { tokens, content }: V1Context, name: string): V1Answer {
  if (!content.repositories.has(name)) return refusal(404, "Not found");
  return tokens.find(request)?.repository === name ? jsonAnswer(200, "OK") : refusal(403, "Invalid token");
}

/** Token, endpoints and, in 0.6, a cookie. docker-registry puts the word Token before a token, the Hub does not. */
function sessionHeaders(
  { headers }: V1Seen,
  { options, tokens, manner, hostOf }: V1Context,
  name: string,
  access: V1Access,
): Record<string, string | string[]> {
  const endpoints = options.endpoints ?? [hostOf("registry")];
  const endpoint = endpoints[0] === "" ? {} : { "x-docker-endpoints": [...endpoints] };
  if (headers["x-docker-token"] !== "true") return endpoint;
  const token = `${manner === "0.9" ? "" : "Token "}${tokens.issue(name, access)}`;
  return { ...endpoint, "x-docker-token": token, "www-authenticate": `Token ${token.replace(/^Token /, "")}` };
}

function search({ path }: V1Seen, { content, options }: V1Context): V1Answer {
  const { search: manner = "all" } = options;
  if (manner === "absent") return refusal(404, "Not found");
  if (manner === "nothing") return jsonAnswer(200, {});
  if (manner === "bad") return refusal(400, "Bad query");
  const query = new URL(path, "http://index/").searchParams;
  const term = query.get("q") ?? "";
  const all = [...content.repositories].flatMap(([name, { description }]) =>
    name.includes(term) ? [{ name, description }] : [],
  );
  const found = { query: term, num_results: all.length };
  if (manner === "all") return jsonAnswer(200, { ...found, results: all });
  const size = Math.min(100, Number(query.get("n") ?? 25));
  const page = Number(query.get("page") ?? 1);
  const results = all.slice((page - 1) * size, page * size);
  return jsonAnswer(200, { ...found, num_pages: Math.ceil(all.length / size), page, page_size: size, results });
}
