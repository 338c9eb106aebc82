import type { Lack, ServedRegistry, ServedRepository } from "./content/served-registry.ts";
import { type Exchange, namespaceOf } from "./exchange.ts";
import { Refusal, type RefusalCode } from "./refusal.ts";

/** @throws Refusal 404 NAME_UNKNOWN; `detail.names` has the full names of one that is ambiguous. */
export async function requireRepository({ query, registry }: Exchange, name: string): Promise<ServedRepository> {
  const ns = namespaceOf(query);
  const repository = await registry.repository(name, ns);
  if (repository !== undefined) return repository;
  throw nameUnknown(registry, name, ns);
}

function nameUnknown(registry: ServedRegistry, name: string, ns: string | undefined): Refusal {
  const names = ns === undefined ? registry.namesakes(name) : [];
  if (names.length === 0) {
    const where = ns === undefined || registry.namespaces === undefined ? "" : ` among those of ${ns}`;
    return new Refusal(404, "NAME_UNKNOWN", `repository ${name} is not in this registry${where}`);
  }
  const message = `repository ${name} may be ${names.join(" or ")}, expected one of these names`;
  return new Refusal(404, "NAME_UNKNOWN", message, { detail: { names } });
}

/** Status 404 for content of a repository, or 503 if the server must be started again. @param lack why it is not there, if that is known. */
export function contentUnknown(code: RefusalCode, name: string, wanted: string, lack: Lack | undefined): Refusal {
  const message = `repository ${name} has no ${wanted}`;
  if (lack === undefined) return new Refusal(404, code, message);
  const { kind, found, hint, volumes, file } = lack;
  if (kind === "changed") return new Refusal(503, "UNKNOWN", `${found}: ${hint}`, { detail: { reason: kind, file } });
  return new Refusal(404, code, `${message}: ${found}. ${hint}`, { detail: { reason: kind, volumes, file } });
}
