import { COMMAND_GROUPS, type CommandDefinition } from "../../definitions/command-definition.ts";
import { HELP, VERSION } from "../../definitions/common-flags.ts";
import { withSubcommands } from "../../definitions/with-subcommands.ts";
import { flagTerm, pageNameOf } from "./command-page.ts";
import type { Edition } from "./edition.ts";
import { type ManPage, manPage, type PageReference, seeAlso } from "./man-page.ts";
import { bold, entry, italic, paragraph, request, roff } from "./roff.ts";

/** imgpack(1): all commands. @param topics pages to read next. */
export function mainManPage(
  commands: readonly CommandDefinition[],
  topics: readonly PageReference[],
  edition: Edition,
): ManPage {
  const all = withSubcommands(commands);
  return manPage({ name: "imgpack", section: 1, summary: "move container images across air gaps" }, edition, [
    request("SH", "SYNOPSIS"),
    ...paragraph(`${bold("imgpack")} ${italic("COMMAND")} [${italic("OPTIONS")}] [${italic("ARGUMENT...")}]`),
    request("SH", "DESCRIPTION"),
    ...paragraph(
      roff(
        "imgpack pushes any image archive to any registry, and pulls any image into one archive that docker, podman and containerd all load. The commands below have a page each, and print it with --help.",
      ),
    ),
    request("SH", "COMMANDS"),
    ...COMMAND_GROUPS.flatMap(group => [
      request("SS", group),
      ...all.filter(command => command.group === group).flatMap(command => entry(bold(command.name), command.summary)),
    ]),
    request("SH", "OPTIONS"),
    ...[HELP, VERSION].flatMap(flag => entry(flagTerm(flag), flag.text)),
    ...seeAlso([...topics, ...all.map(command => ({ name: pageNameOf(command), section: 1 as const }))]),
  ]);
}
