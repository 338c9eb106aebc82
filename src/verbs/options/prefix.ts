import { UsageError } from "../../errors.ts";
import { parseReference } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";

/** A registry, and what comes before each repository there; "" for nothing. */
export interface Prefix {
  readonly registry: string;
  readonly repository: string;
}

const ONE_IMAGE = {
  "push to": "To name one image, use --tag.",
  "copy to": "To name one image, leave out --to: copy SOURCE TARGET.",
  "look for images below": "To look for one image, leave out --to.",
  "compare with": "A registry is a base as a whole: --base registry.lan:5000/team.",
  "write mirrors of": "A mirror is a registry with what comes before all names: --to registry.lan:5000/team.",
  "leave out what is in": "A registry is a base as a whole: --base registry.lan:5000/team.",
} as const;

/** Reads `HOST` or `HOST/PREFIX`. @throws UsageError for a tag or digest in it, or without a registry. */
export function parsePrefix(verb: keyof typeof ONE_IMAGE, to: string): Prefix {
  const text = to.replace(/\/+$/, "");
  if (!/[/@]/.test(text)) return { registry: text, repository: "" };
  const { registry, repository, tag, digest } = parseReference(text);
  if (tag !== undefined || digest !== undefined) {
    const found = tag === undefined ? "a digest" : `tag ${tag}`;
    throw new UsageError(`Cannot ${verb} ${quote(to)}: found ${found}, expected HOST/PREFIX`, {
      hint: ONE_IMAGE[verb],
    });
  }
  if (registry !== undefined) return { registry, repository };
  throw new UsageError(`Cannot ${verb} ${quote(to)}: no registry named, expected HOST/PREFIX`, {
    hint: "A registry has a dot or a port, as in --to registry.lan:5000/team.",
  });
}

/** The repository below a prefix. */
export function belowPrefix(prefix: Prefix, repository: string): Prefix {
  return { registry: prefix.registry, repository: [prefix.repository, repository].filter(Boolean).join("/") };
}
