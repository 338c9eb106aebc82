import { COMMAND_GROUPS, type CommandDefinition } from "../definitions/command-definition.ts";
import { summaryRows } from "./command-lines.ts";
import { type HelpLayout, paragraph, section, usageLines } from "./help-layout.ts";
import { shellLines } from "./shell-lines.ts";
import { HELP_TOPICS } from "./topics/help-topics.ts";

/** The help of imgpack itself: what it is, its commands, and where to read more. */
export function overviewLines(commands: readonly CommandDefinition[], layout: HelpLayout): readonly string[] {
  const start = ["imgpack pull alpine:3.22 -o alpine.tar", "imgpack push alpine.tar --to registry.lan:5000"];
  return [
    ...paragraph(
      "imgpack moves container images between registries, archives and engines, including across air gaps. It needs no daemon.",
      layout,
    ),
    "",
    ...usageLines("imgpack COMMAND [OPTIONS] [ARGUMENT...]", layout),
    ...section(
      "Start with",
      start.flatMap(line => shellLines(line, layout.width - 2).map(part => `  ${part}`)),
      layout,
    ),
    ...COMMAND_GROUPS.flatMap(group => {
      const own = commands.filter(command => command.group === group);
      return section(group, summaryRows(own, layout), layout);
    }),
    ...section("Topics", summaryRows(HELP_TOPICS, layout), layout),
    "",
    ...paragraph('"imgpack help NAME" explains one of these, as "imgpack COMMAND --help" does.', layout),
    ...paragraph('"imgpack --version" prints the version.', layout),
  ];
}
