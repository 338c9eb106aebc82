import { nearestWords } from "../../util/nearest/nearest-words.ts";

/** What to use in place of a flag of another tool. */
interface OtherFlag {
  /** The flags of docker, podman, skopeo, crane, regctl, oras and curl. */
  readonly names: string;
  /** A sentence. What is in braces is replaced by the value that was given, if there is one. */
  readonly text: string;
  /** The same for `=false`, where it differs. */
  readonly textForFalse?: string;
  /** The flags of imgpack that it names: a command that lacks all of them has no use for the sentence. */
  readonly flags: readonly string[];
  /** Of imgpack, for which it is right (default all). */
  readonly commands?: readonly string[];
}

const PASSWORD = "Passwords come from stdin, where no list of processes shows them: pass --password-stdin.";
const ANY_CERTIFICATE =
  "Pass --insecure to accept any certificate, --plain-http for HTTP without TLS, or --ca-file FILE.";
const OF_CREDENTIALS =
  "Credentials are read where docker and podman store them; REGISTRY_AUTH_FILE=FILE names another file.";

const FLAGS: readonly OtherFlag[] = [
  { names: "password|pass|p", text: PASSWORD, flags: ["password-stdin"] },
  {
    names: "creds|src-creds|dest-creds|from-password|to-password|src-password|dest-password",
    text: "Passwords come from stdin, where no list of processes shows them: pass --username NAME --password-stdin.",
    flags: ["password-stdin"],
  },
  {
    names: "token|registry-token|src-registry-token|dest-registry-token|identity-token",
    text: "Tokens come from stdin, where no list of processes shows them: pass --token-stdin.",
    flags: ["token-stdin"],
  },
  {
    names: "tls-verify|src-tls-verify|dest-tls-verify|verify-tls",
    text: "Leave it out: certificates are verified by default.",
    textForFalse: ANY_CERTIFICATE,
    flags: ["insecure"],
  },
  {
    names:
      "no-tls-verify|skip-tls-verify|insecure-skip-tls-verify|insecure-registry|insecure-registries|allow-insecure|from-insecure|to-insecure|skip-verify|k",
    text: ANY_CERTIFICATE,
    flags: ["insecure"],
  },
  {
    names: "http|use-http|from-plain-http|to-plain-http|allow-http",
    text: "Did you mean --plain-http?",
    flags: ["plain-http"],
  },
  {
    names: "cacert|cert-dir|src-cert-dir|dest-cert-dir|ca|from-ca-file|to-ca-file|registry-config-dir",
    text: "Pass --ca-file FILE with the certificates to trust.",
    flags: ["ca-file"],
  },
  { names: "authfile|src-authfile|dest-authfile|registry-config|config", text: OF_CREDENTIALS, flags: ["username"] },
  { names: "insecure-policy|policy", text: "Leave it out: imgpack reads no signature policy.", flags: ["json"] },
  {
    names: "all|multi-arch|all-platforms|preserve-digests|allow-nondistributable-artifacts",
    text: "Leave it out: all platforms are taken by default, with their digests.",
    flags: ["platform"],
    commands: ["copy", "convert"],
  },
  {
    names: "all|multi-arch|all-platforms",
    text: "Did you mean --platform all?",
    flags: ["platform"],
    commands: ["pull"],
  },
  {
    names: "all|multi-arch|all-platforms|preserve-digests|allow-nondistributable-artifacts",
    text: "Leave it out: images are sent with all platforms that the archive has, with their digests.",
    flags: ["to"],
    commands: ["push"],
  },
  {
    names: "arch|os|override-arch|override-os|override-variant|variant",
    text: "Pass --platform OS/ARCH.",
    flags: ["platform"],
  },
  { names: "remove-signatures|exclude-artifacts", text: "Did you mean --no-referrers?", flags: ["no-referrers"] },
  { names: "retry-times|retries|max-retries", text: "Did you mean --retry {N}?", flags: ["retry"] },
  {
    names:
      "jobs|j|parallel|parallel-copies|image-parallel-copies|max-concurrent-downloads|max-concurrent-uploads|threads",
    text: "Did you mean --concurrency {N}?",
    flags: ["concurrency"],
  },
  { names: "debug|d|trace", text: "Did you mean --verbose?", flags: ["verbose"] },
  { names: "silent|s|suppress-output", text: "Did you mean --quiet?", flags: ["quiet"] },
  { names: "no-progress|progress-bar", text: "Did you mean --progress none?", flags: ["progress"] },
  { names: "no-color|no-colour|color|colour", text: "Set NO_COLOR=1 for output without colors.", flags: ["json"] },
  {
    names: "format",
    text: "Leave it out: pull writes an archive that every runtime loads. For another format: imgpack convert FILE OUTPUT --format oci.",
    flags: ["output"],
    commands: ["pull"],
  },
  {
    names: "format",
    text: "Leave it out: the registry gets the images as they are.",
    flags: ["to"],
    commands: ["push", "copy"],
  },
  {
    names: "full-ref",
    text: "Leave it out: the line has the registry, the repository and the digest.",
    flags: ["json"],
    commands: ["digest"],
  },
  {
    names: "format|raw|descriptor",
    text: "Pass --json, and read the field that you need with jq.",
    flags: ["json"],
  },
  { names: "force|force-confirm|y|assume-yes", text: "Did you mean --yes?", flags: ["yes"] },
  { names: "dest|destination|target|to-registry|dst", text: "Did you mean --to {HOST}?", flags: ["to"] },
  {
    names: "out|out-file|output-file|dest-file|write-to|to-tar",
    text: "Did you mean --output {FILE}?",
    flags: ["output"],
  },
  {
    names: "proxy|http-proxy|https-proxy",
    text: "Set HTTPS_PROXY to the proxy.",
    flags: ["registry"],
  },
  {
    names: "filename|list|images-file|image-list|file",
    text: "Did you mean --from-file {FILE}?",
    flags: ["from-file"],
  },
  { names: "port|p", text: "Did you mean --listen 127.0.0.1:{PORT}?", flags: ["listen"] },
  {
    names: "i|input",
    text: "Name the archive without a flag: {FILE}.",
    flags: ["json"],
    commands: ["push", "convert", "inspect", "verify", "doctor"],
  },
  { names: "n|dryrun|simulate|just-print", text: "Did you mean --dry-run?", flags: ["dry-run"] },
];

/** Shorter names are near to too many. */
const MIN_NEAR = 5;
const NAMES: readonly string[] = [...new Set(FLAGS.flatMap(flag => flag.names.split("|")))];

/**
 * What to use in place of a flag of another tool: a sentence.
 *
 * @param value as a word for a shell, or undefined if there is none that may be repeated
 * @param own names of the flags that the command has
 */
export function otherFlag(
  name: string,
  value: string | undefined,
  command: string,
  own: readonly string[],
): string | undefined {
  const found = FLAGS.find(
    ({ names, flags, commands }) =>
      names.split("|").includes(name) &&
      flags.some(flag => own.includes(flag)) &&
      (commands?.includes(command) ?? true),
  );
  if (found === undefined) return undefined;
  const { text, textForFalse } = found;
  const chosen = textForFalse !== undefined && (value === "false" || value === "0") ? textForFalse : text;
  return chosen.replace(/\{(\w+)\}/, (_match, placeholder: string) => value || placeholder);
}

/** The flag of another tool that was probably meant. */
export function nearestOtherFlag(name: string): string | undefined {
  return name.length < MIN_NEAR ? undefined : nearestWords(name, NAMES)[0];
}

/** All sentences with the flags that they name, for a test. */
export const OTHER_FLAGS: readonly { readonly text: string; readonly flags: readonly string[] }[] = FLAGS;
