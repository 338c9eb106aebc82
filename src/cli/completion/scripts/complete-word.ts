/** The first word of what the scripts ask. People do not type it, so it is no command. */
export const COMPLETE = "__complete";
