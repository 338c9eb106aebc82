export type Actions = "pull" | "pull,push" | "pull,push,delete";

/** What a request does. One scope covers a whole push or pull, so that one token is enough. */
export interface Scope {
  /** Empty: no repository, only what the challenge names (the API root, the catalog). */
  readonly repository: string;
  readonly actions: Actions;
  /** Repository of the same registry from which blobs are mounted. */
  readonly mountFrom?: string;
}

/** `delete` only to delete a manifest. Quay refuses any token that includes it, and an upload is cancelled without it. */
const ACTIONS = ["pull", "push", "delete"] as const;

/** `registry:catalog:*`; printable, because it is copied into a URL. */
const REGISTRY_SCOPE = /^registry:[a-z]+:[a-z*,]+$/;

/**
 * The `scope` parameters of a token request, sorted, one per resource: ours, and those that the challenge adds
 * (some registries name the repository differently in scopes than in paths).
 */
export function tokenScopes(scope: Scope, challenged: readonly string[] = []): readonly string[] {
  const wanted = new Map<string, Set<string>>();
  const add = (resource: string, actions: readonly string[]): void => {
    const known = wanted.get(resource) ?? new Set();
    wanted.set(resource, known);
    for (const action of actions) known.add(action);
  };
  if (scope.repository === "") return challenged.filter(text => REGISTRY_SCOPE.test(text)).toSorted();
  add(`repository:${scope.repository}`, scope.actions.split(","));
  if (scope.mountFrom !== undefined) add(`repository:${scope.mountFrom}`, ["pull"]);
  for (const text of challenged) {
    const colon = text.lastIndexOf(":");
    const resource = text.slice(0, colon);
    const actions = text
      .slice(colon + 1)
      .split(",")
      .filter(action => ACTIONS.some(known => known === action))
      .filter(action => action !== "delete" || scope.actions.endsWith("delete"));
    if (/^repository:./.test(resource) && actions.length > 0) add(resource, actions);
  }
  return [...wanted]
    .map(([resource, actions]) => `${resource}:${ACTIONS.filter(action => actions.has(action)).join(",")}`)
    .toSorted();
}
