/**
 * What the comment before an example says to the test that runs the commands of docs/: by a part of the command line that no
 * other example has.
 */
const COMMENTS: Readonly<Record<string, string>> = {
  "docker save app:1.4": "not run: another image would have the tag; docs/how-to/from-docker-save.md runs such a line",
  "--key desk.pub": "not run: it needs signed volumes; docs/AIRGAP.md has some",
  "@sha256:…": "not run: the digest is left out",
  "imgpack delete registry.lan:5000/team/app:1.3": "not run: it asks on the terminal",
  "imgpack login registry.lan:5000": "not run: it asks on the terminal, or needs a password",
  "--store registry/ --gc": "not run: the server above has the store",
  powershell: "not run: it is for PowerShell",
};

/** A comment in Markdown for an example; undefined if it runs as it is. */
export function exampleComment(command: string): string | undefined {
  const [, comment] = Object.entries(COMMENTS).find(([part]) => command.includes(part)) ?? [];
  return comment === undefined ? undefined : `<!-- ${comment} -->`;
}
