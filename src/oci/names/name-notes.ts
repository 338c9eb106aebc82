import { hasIPv6Registry } from "../archive-names.ts";
import { digestNameOf, type NamedImage, tagNameOf, tagOwners } from "./pinned-names.ts";

/** What a person should know of the names in an archive that is written. */
export function nameNotes(images: readonly NamedImage[]): readonly string[] {
  const names = images.flatMap(image => image.names);
  const addresses = names.filter(hasIPv6Registry);
  const untagged = names.filter(name => tagNameOf(name) === undefined);
  return [
    ...addresses.map(
      name => `${name}: Docker before 25 and podman load no name with an IPv6 address; convert --tag renames it`,
    ),
    ...(untagged.length === 0
      ? []
      : [
          `${some(untagged)} ${untagged.length === 1 ? "has" : "have"} no tag: Docker loads such an image without a name, ` +
            "and so does podman if the archive has more than one name",
        ]),
    ...sharedTagNotes(images),
  ];
}

/** A note about each tag that several names with a digest claim, so that none of them gets it. */
export function sharedTagNotes(images: readonly NamedImage[]): readonly string[] {
  const all = images.flatMap(({ names }) => names);
  return [...tagOwners(images)].flatMap(([tag, owner]) => {
    if (owner !== undefined) return [];
    const names = all.flatMap(name => (tagNameOf(name) === tag ? (digestNameOf(name) ?? []) : []));
    return [`${tag} is ${[...new Set(names)].join(" and ")}: they keep their digests, and none of them gets the tag`];
  });
}

function some(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]}` : `${names.length} names, such as ${names[0]},`;
}
