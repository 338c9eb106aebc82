import { matchesRepository } from "../../bundle/list/reference-glob.ts";
import type { ImgpackError } from "../../errors.ts";
import type { V1Repository, V1Store } from "../../registry/v1/v1-store.ts";

/** What a store says that it has. */
export interface StoreSearch {
  readonly repositories: readonly V1Repository[];
  /** Namespaces whose repositories could not be listed. */
  readonly unlisted: readonly { readonly namespace: string; readonly error: ImgpackError }[];
}

/** All that a store lists. @throws as `V1Store.repositories`, except for a namespace alone. */
export async function searchStore(store: V1Store, signal: AbortSignal | undefined): Promise<StoreSearch> {
  const repositories: V1Repository[] = [];
  const unlisted: { namespace: string; error: ImgpackError }[] = [];
  const listed = store.repositories(signal, (namespace, error) => void unlisted.push({ namespace, error }));
  for await (const repository of listed) repositories.push(repository);
  return { repositories, unlisted };
}

/** Namespaces that could not be listed, and that may have repositories that match. */
export function unlistedIn({ unlisted }: StoreSearch, glob: string): StoreSearch["unlisted"] {
  const [first = ""] = glob.split("/");
  return first.includes("**") ? unlisted : unlisted.filter(({ namespace }) => matchesRepository(first, namespace));
}
