/** What a request wants to do. One scope covers a whole push or pull, so that one token does. */
export interface Scope {
  readonly repository: string;
  readonly actions: "pull" | "pull,push";
  /** Repository of the same registry from which blobs are mounted. */
  readonly mountFrom?: string;
}

/** The actions a token is asked for. `delete` never: Quay grants no token at all then. */
const ACTIONS = ["pull", "push"] as const;

/**
 * The `scope` parameters of a token request, sorted, one per resource: ours, and what the challenge names beyond it
 * (some registries name the repository differently in scopes than in paths).
 */
export function tokenScopes(scope: Scope, challenged: readonly string[] = []): readonly string[] {
  const wanted = new Map<string, Set<string>>();
  const add = (resource: string, actions: readonly string[]): void => {
    const known = wanted.get(resource) ?? new Set();
    wanted.set(resource, known);
    for (const action of actions) known.add(action);
  };
  add(`repository:${scope.repository}`, scope.actions.split(","));
  if (scope.mountFrom !== undefined) add(`repository:${scope.mountFrom}`, ["pull"]);
  for (const text of challenged) {
    const colon = text.lastIndexOf(":");
    const resource = text.slice(0, colon);
    const actions = text
      .slice(colon + 1)
      .split(",")
      .filter(action => ACTIONS.some(known => known === action));
    if (/^repository:./.test(resource) && actions.length > 0) add(resource, actions);
  }
  return [...wanted]
    .map(([resource, actions]) => `${resource}:${ACTIONS.filter(action => actions.has(action)).join(",")}`)
    .toSorted();
}
