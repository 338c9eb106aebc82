// Writes docs/SCREENS.md: what a terminal shows, from real runs.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import bcrypt from "bcryptjs";
import { COMMAND } from "../command.ts";
import { TEST_TLS } from "../test-tls.ts";
import { TerminalScene } from "./terminal-scene.ts";

const ROWS = 60;

interface Screen {
  readonly title: string;
  readonly columns: number;
  /** The last one is shown, with the command. */
  readonly commands: readonly string[];
  /** Shows the moment at which this is true, and not the end. */
  readonly until?: (rows: readonly string[]) => boolean;
}

const isHalf = (rows: readonly string[]): boolean =>
  rows.some(row => /Pushing .*left$/.test(row)) && rows.some(row => /^ {2}[0-9a-f]{12} \[=+ +\] /.test(row));

function screens(host: string, locked: string, secure: string): readonly (Screen | string)[] {
  const push = `imgpack push hello.tar.gz --registry ${host} --limit-rate 8M --quiet`;
  const slow = (name: string): string => `imgpack push hello.tar.gz --to ${host}/${name} --limit-rate 8M`;
  const progress = (columns: number): Screen => ({
    title: `${columns} columns`,

    columns,
    commands: [slow(`progress-${columns}`)],
    until: isHalf,
  });
  return [
    "Help",
    { title: "imgpack --help", columns: 100, commands: ["imgpack --help"] },
    { title: "imgpack push --help", columns: 100, commands: ["imgpack push --help"] },
    "Progress",
    ...[40, 80, 200].map(progress),
    "Tables",
    { title: "inspect", columns: 80, commands: ["imgpack inspect hello.tar.gz"] },
    { title: "manifest", columns: 80, commands: [push, `imgpack manifest ${host}/hello:latest`] },
    { title: "tags", columns: 80, commands: [`imgpack tags ${host}/hello --sort time`] },
    { title: "lock", columns: 80, commands: [`imgpack lock ${host}/hello:latest -o site.lock`] },
    { title: "doctor", columns: 80, commands: ["imgpack doctor hello.tar.gz"] },
    "A dry run",
    { title: "push --dry-run", columns: 100, commands: [`imgpack push hello.tar.gz --registry ${host} --dry-run`] },
    "Errors",
    { title: "A wrong command", columns: 80, commands: ["imgpack pusj hello.tar.gz"] },
    { title: "A wrong flag", columns: 80, commands: ["imgpack push hello.tar.gz --registy registry.lan"] },
    { title: "A word of another tool", columns: 80, commands: ["imgpack save hello:latest"] },
    { title: "A tag that is not there", columns: 80, commands: [`imgpack pull ${host}/hello:latst -o out.tar`] },
    { title: "A login is needed", columns: 80, commands: [`imgpack push hello.tar.gz --registry ${locked}`] },
    { title: "An unknown authority", columns: 80, commands: [`imgpack tags ${secure}/hello --ca-file site-ca.pem`] },
    {
      title: "A damaged archive",

      columns: 80,
      commands: ["gunzip -c hello.tar.gz | head -c 20000000 > cut.tar", "imgpack verify cut.tar"],
    },
    { title: "A full disk", columns: 80, commands: [`imgpack pull ${host}/hello:latest -o - > /dev/full`] },
  ];
}

await using scene = await TerminalScene.start(COMMAND);
await writeFile(join(scene.folder, "users"), `ci:${await bcrypt.hash("secret", 4)}\n`);
await writeFile(join(scene.folder, "cert.pem"), TEST_TLS.cert);
await writeFile(join(scene.folder, "key.pem"), TEST_TLS.key);
await writeFile(join(scene.work, "site-ca.pem"), rootCertificates[0] ?? "");
const host = await scene.serve();
const locked = await scene.serve("--htpasswd", join(scene.folder, "users"));
const secure = await scene.serve(
  "--cert-file",
  join(scene.folder, "cert.pem"),
  "--key-file",
  join(scene.folder, "key.pem"),
);
const parts = [
  "# Screens\n\n<!-- run by test/support/terminal/take-screens.ts -->\n\nWhat a terminal shows. `npm run screens` writes this page from real runs, with an archive of 54 MiB, and three registries of\n`imgpack serve`: a plain one, one with a login, and one with a certificate that no one knows.\n",
];
for (const screen of screens(host, locked, secure)) {
  if (typeof screen === "string") parts.push(`## ${screen}\n`);
  else parts.push(`### ${screen.title}\n\n\`\`\`text\n${(await shownOf(screen)).join("\n")}\n\`\`\`\n`);
}
await writeFile(join(process.cwd(), "docs/SCREENS.md"), parts.join("\n"));

async function shownOf({ columns, commands, until }: Screen): Promise<readonly string[]> {
  await using terminal = await scene.terminal(columns, ROWS);
  for (const [index, command] of commands.entries()) {
    const isLast = index === commands.length - 1;
    await terminal.clear();
    await terminal.enter(command);
    if (isLast && until !== undefined) return await terminal.until(until, command);
    const rows = await terminal.prompt();
    if (isLast) return rows.slice(0, -1);
  }
  return [];
}
