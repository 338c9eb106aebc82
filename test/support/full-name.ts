/** A name as archives write it → the name that loaders and imgpack give it: `hello` is Docker Hub's `hello:latest`. */
export function fullName(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const hasRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const path = hasRegistry ? name : `docker.io/${rest.length === 0 ? "library/" : ""}${name}`;
  return /:[^/]*$/.test(path) ? path : `${path}:latest`;
}
