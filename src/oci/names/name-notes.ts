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
    ...sharedTags(images).map(
      ({ tag, names }) => `${tag} is ${names.join(" and ")}: they keep their digests, none gets the tag`,
    ),
  ];
}

/** Tags that several names with a digest claim, so that none of them gets it. */
export function sharedTags(
  images: readonly NamedImage[],
): readonly { readonly tag: string; readonly names: readonly string[] }[] {
  const owners = tagOwners(images);
  const names = images.flatMap(image => image.names);
  return [...owners].flatMap(([tag, owner]) =>
    owner === undefined
      ? [{ tag, names: names.filter(name => tagNameOf(name) === tag).flatMap(name => digestNameOf(name) ?? []) }]
      : [],
  );
}

function some(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]}` : `${names.length} names, such as ${names[0]},`;
}
