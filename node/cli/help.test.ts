import { stripVTControlCharacters } from 'node:util'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { createProgram } from './program.ts'

const COLUMNS = 80

/** What each command says of itself, by its name, in a terminal of 80 columns. */
const helpOf = (command: Command, name: string): [name: string, help: string][] => {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => COLUMNS })
  command.outputHelp()
  const more = command.commands.flatMap((one) => helpOf(one, `${name} ${one.name()}`))
  return [[name, stripVTControlCharacters(help)], ...more]
}

const helps = helpOf(
  createProgram(() => {}),
  'wayside',
)

test.each(helps)('%s: its help fits into 80 columns', (_, help) => {
  expect(help).toMatch(/^Usage: wayside /)
  expect(help.split('\n').filter((line) => line.length > COLUMNS)).toEqual([])
})
