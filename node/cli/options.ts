/** What the commands have in common. */
import { Option } from 'commander'
import { paintOut } from './terminal.ts'

/** A command's work: options as commander read them, then its exit status (none: 0). */
export type Run = (...args: never[]) => Promise<number | undefined>

/** A command's action, whose work is loaded when it is called. */
export type Lazily = (load: () => Promise<Run>) => (...args: unknown[]) => Promise<void>

export const example = (...lines: string[]) =>
  `\n${paintOut('bold', 'Examples:')}\n${lines.map((line) => `  ${line}\n`).join('')}`

export const dataOption = () => new Option('--data <dir>', 'data directory (default: ~/.wayside, or WAYSIDE_DATA)')

export const jsonOption = () => new Option('--json', 'print JSON')
