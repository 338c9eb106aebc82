/** A command line of imgpack for what another tool calls otherwise. */
export interface OtherUse {
  /** Without `imgpack`; words in capitals are places of arguments (`fillTemplate`). */
  readonly template: string;
  /** What it is for, where there are several. */
  readonly purpose: string;
}

interface OtherCommand {
  /** The words of docker, podman, ctr, skopeo, crane, regctl, oras, hauler and zarf. */
  readonly words: string;
  /** What imgpack does not do. */
  readonly note?: string;
  readonly uses: readonly (readonly [template: string, purpose: string])[];
}

const COMMANDS: readonly OtherCommand[] = [
  {
    words:
      "save|download|fetch|get|backup|bundle|images export|image export|package create|store save|store add image|store sync",
    uses: [
      ["pull IMAGE.. --output FILE", "from a registry"],
      ["convert docker://IMAGE FILE", "from Docker"],
    ],
  },
  {
    words: "load|upload|send|restore|images import|package deploy|store load|store copy",
    uses: [
      ["push FILE", "to a registry"],
      ["convert FILE docker://", "into Docker"],
    ],
  },
  {
    words: "ls|list|list-tags|tag ls|tag list|repo tags",
    uses: [
      ["tags REPOSITORY", "tags"],
      ["catalog HOST", "repositories"],
      ["inspect FILE", "an archive"],
    ],
  },
  {
    words: "images|image ls|image list|store info|artifacts|repo ls|repo list",
    uses: [
      ["inspect FILE", "an archive"],
      ["catalog HOST", "a registry"],
      ["tags REPOSITORY", "a repository"],
    ],
  },
  {
    words: "cp|sync|mv|move|relocate|transfer",
    uses: [
      ["copy SOURCE TARGET", "one image"],
      ["copy --from-file LIST --to HOST", "many"],
    ],
  },
  {
    words: "mirror|mirroring",
    uses: [
      ["mirrors --to HOST", "the files that let runtimes pull from a mirror"],
      ["copy --from-file LIST --to HOST", "the images"],
    ],
  },
  {
    words: "export|extract|unpack",
    uses: [
      ["pull IMAGE --output FILE", "from a registry"],
      ["convert FILE FOLDER/", "an archive as an OCI layout"],
    ],
    note: "imgpack writes images, and never unpacks the files of one.",
  },
  { words: "import-image|image import", uses: [["import FILE --tag NAME", "a root filesystem"]] },
  {
    words: "validate|check|fsck|lint",
    uses: [
      ["verify FILE", "an archive"],
      ["exists IMAGE", "a registry"],
    ],
  },
  {
    words: "rm|rmi|remove|del|untag|tag rm|tag delete|tag del|manifest delete|manifest rm|manifest del|image delete",
    uses: [["delete IMAGE", ""]],
  },
  {
    words: "search|find",
    uses: [
      ["catalog HOST", "repositories of a registry"],
      ["hub search TEXT", "an index of the v1 protocol"],
    ],
  },
  { words: "version|-v|-version|--v", uses: [["--version", ""]] },
  {
    words: "info|show|describe",
    uses: [
      ["inspect FILE", "an archive"],
      ["inspect IMAGE", "an image in a registry"],
      ["ping HOST", "a registry"],
    ],
  },
  {
    words: "history|manifest get|manifest fetch|manifest inspect|manifest show|layers",
    uses: [["manifest IMAGE", ""]],
  },
  { words: "discover|tree|artifact list|artifact tree|artifact ls|verify-signature", uses: [["referrers IMAGE", ""]] },
  { words: "resolve|head|manifest head|image digest", uses: [["digest IMAGE", ""]] },
  { words: "config get|image config|blob fetch-config", uses: [["config IMAGE", ""]] },
  { words: "auth|auth login|signin", uses: [["login HOST", ""]] },
  { words: "registry|registry serve|server|store serve|store serve registry", uses: [["serve FILE", ""]] },
  { words: "diff|compare|store diff", uses: [["inspect FILE --base ARCHIVE", ""]] },
  { words: "gc|prune|garbage-collect", uses: [["serve --store FOLDER --gc", ""]] },
  { words: "sign|standalone-sign", uses: [["pull IMAGE.. --output FILE --sign KEY", "an archive"]] },
  {
    words: "append|mutate|rebase|flatten|squash|commit|image mod|edit",
    uses: [["import FILE --tag NAME", "an image of one layer from a root filesystem"]],
    note: "imgpack does not change images.",
  },
  {
    words: "build|buildx build|image build",
    uses: [
      ["push docker://IMAGE", "an image that Docker built"],
      ["import ROOTFS --tag NAME", "an image of one layer from a root filesystem"],
    ],
    note: "imgpack does not build images.",
  },
];

const BY_WORDS: ReadonlyMap<string, OtherCommand> = new Map(
  COMMANDS.flatMap(command => command.words.split("|").map(words => [words, command] as const)),
);
/** Commands of other tools that are one word, for typing errors of these. */
export const OTHER_WORDS: readonly string[] = [...BY_WORDS.keys()].filter(words => /^[a-z]{3,}$/.test(words));
/** Words that other tools write before a command. */
const GROUPS: ReadonlySet<string> = new Set(
  "image images i container content store tools registry repo repository artifact package index remote layout".split(
    " ",
  ),
);
const MAX_WORDS = 3;

/** What another tool's command line means. */
export interface FoundOther {
  readonly uses: readonly OtherUse[];
  readonly note: string | undefined;
  /** Number of words that name the command. */
  readonly length: number;
}

/** @returns undefined if no other tool that is known has it. @param own names of the commands of imgpack */
export function otherCommand(words: readonly string[], own: readonly string[]): FoundOther | undefined {
  for (let length = Math.min(MAX_WORDS, words.length); length > 1; length -= 1) {
    const found = foundOf(words, length);
    if (found !== undefined) return found;
  }
  const [group = "", name = ""] = words;
  if (!GROUPS.has(group) || words.length === 1) return foundOf(words, 1);
  if (own.includes(name))
    return { uses: [{ template: `${name} ARGUMENTS..`, purpose: "" }], note: undefined, length: 2 };
  const inner = otherCommand(words.slice(1), own);
  return inner === undefined ? foundOf(words, 1) : { ...inner, length: inner.length + 1 };
}

function foundOf(words: readonly string[], length: number): FoundOther | undefined {
  const found = BY_WORDS.get(words.slice(0, length).join(" "));
  return found && { uses: found.uses.map(([template, purpose]) => ({ template, purpose })), note: found.note, length };
}

/** All command lines that the table names. */
export const OTHER_TEMPLATES: readonly string[] = COMMANDS.flatMap(({ uses }) => uses.map(([template]) => template));
