import type { CommandModule } from "yargs";
import { type Context, printLine } from "../context.ts";
import { completionScript } from "./completion-scripts.ts";

interface CompletionFlags {
  readonly shell?: string | undefined;
}

/** A completion that takes longer is of no use. */
const MAX_WAIT_MS = 5000;
const MAX_TAGS = 1000;
/** Commands whose arguments can be references. */
const REFERENCE_COMMANDS: ReadonlySet<string> = new Set([
  "blob",
  "config",
  "copy",
  "delete",
  "digest",
  "exists",
  "inspect",
  "manifest",
  "ping",
  "pull",
  "referrers",
  "tag",
]);

export function completionCommand(context: Context): CommandModule<object, CompletionFlags> {
  return {
    command: "completion <shell>",
    describe: "print a script that completes commands, flags and tags in a shell",
    builder: parser =>
      parser
        .positional("shell", { choices: ["bash", "zsh", "fish"], type: "string", describe: "shell to complete in" })
        .example('eval "$(imgpack completion bash)"', "in the running bash")
        .example("imgpack completion fish > ~/.config/fish/completions/imgpack.fish", "in every new fish"),
    handler: ({ shell = "bash" }) => printLine(context, completionScript(shell)),
  };
}

type OnCompletions = (error: Error | null, completions: string[] | undefined) => void;

/** Completes the word under the cursor for yargs: tags after `repository:`, else commands and flags. */
export function complete(
  current: string,
  flags: Readonly<Record<string, unknown>>,
  others: (onListed: OnCompletions) => unknown,
  done: (completions: string[]) => unknown,
): void {
  const repository = repositoryBefore(current, flags["_"]);
  if (repository === undefined) {
    others((_error, completions) => done(completions ?? []));
    return;
  }
  tagsOf(repository, flags).then(
    tags => done(tags.map(tag => `${repository}:${tag}`)),
    // A registry that does not answer, or refuses access, completes nothing.
    () => done([]),
  );
}

/** The `registry/repository` of a word whose tag is being typed. */
function repositoryBefore(current: string, words: unknown): string | undefined {
  const isForReferences = Array.isArray(words) && words.some(word => REFERENCE_COMMANDS.has(String(word)));
  const colon = current.lastIndexOf(":");
  // A colon before the last slash belongs to a port.
  if (!isForReferences || !current.includes("/") || colon < current.lastIndexOf("/")) return undefined;
  // The same of a host after v1://
  if (/^v1:\/\/[^/]*$/.test(current)) return undefined;
  return current.includes("@") ? undefined : current.slice(0, colon);
}

async function tagsOf(repository: string, flags: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const { tags } = await import("../../verbs/query/tags.ts");
  const tls = { plainHttp: flags["plainHttp"] === true || undefined, insecure: flags["insecure"] === true };
  const result = await tags(repository, {
    registry: { tls, v1Path: textOf(flags["v1Path"]), v1Endpoint: textOf(flags["endpoint"]) },
    limit: MAX_TAGS,
    signal: AbortSignal.timeout(MAX_WAIT_MS),
  });
  return result.tags.map(({ tag }) => tag);
}

/** A flag may be given without its value yet, or twice. */
function textOf(flag: unknown): string | undefined {
  return typeof flag === "string" && flag !== "" ? flag : undefined;
}
