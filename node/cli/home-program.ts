/** The commands of what a home keeps: durable invocations, and the state of functions. */
import type { Command } from 'commander'
import { dataOption, example, jsonOption, type Lazily, type Run } from './options.ts'

const WAIT_STATUS = `
Exit status: as of \`wayside run\`, by what it ended with; 2 no such ID, 6 no
agent, 130 it was cancelled, or Ctrl-C.
`
const RESULT_STATUS = `
Exit status: as of \`wayside run\`, by what it ended with; 2 no such ID, or it
still runs, 6 no agent, 130 it was cancelled.
`
const CANCEL_STATUS = `
Exit status: 0 it has ended, now or before, 2 no such ID, 6 no agent.
`

export const addDurable = (program: Command, run: Lazily) => {
  program
    .command('ps')
    .summary('the durable invocations that run')
    .description(
      'Lists the durable invocations that this agent keeps and goes on with, the oldest first. Done is one whose function has ended with a result; failed, one whose function has ended with an error, or that could not be run: `wayside result` says why.',
    )
    .option('--all', 'those that have ended, too: they are kept for a week, or until their room is needed')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside ps', 'wayside ps --all --json'))
    .action(run(async () => (await import('./durable.ts')).ps))
  const commands = [
    ['wait', 'wait for a durable invocation, and print its result', WAIT_STATUS],
    ['result', 'print the result of a durable invocation that has ended', RESULT_STATUS],
    ['cancel', 'end a durable invocation: nothing of it is committed any more', CANCEL_STATUS],
  ] as const
  for (const [name, summary, status] of commands)
    program
      .command(name)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .argument('<id>', 'as `wayside run --durable` printed it, and `wayside ps` shows it')
      .addOption(dataOption())
      .addOption(jsonOption())
      .addHelpText('after', status)
      .action(run(async () => (await import('./durable.ts'))[name]))
}

const STATE_EXAMPLES = [
  'wayside state list shop order/',
  `wayside state put shop price '{"eur":12}'`,
  'wayside state watch shop --after 120',
  'wayside state put shop price --delete',
  'wayside state export shop > shop.ndjson               a copy',
  'wayside state export shop --to 12D3… > shop.ndjson    it moves to another home',
  'wayside state import shop.ndjson                      at that home',
  'wayside state delete shop --yes',
]

export const addDelegations = (program: Command, run: Lazily) => {
  const delegations = program
    .command('delegations')
    .summary('what homes of other machines may do for this one, and this home for others')
    .description(
      'Lists by which delegations something goes on that has not ended. Where the agent of this machine runs, it is the home, and what callers have signed for it is listed; else homes in reach are asked what they hold of this machine; whoever has not said so within five seconds is named on stderr. Running is how many invocations run by one: its own, and the durable ones that this has called.',
    )
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside delegations', 'wayside delegations renew bafyrei…'))
    .action(run(async () => (await import('./delegations.ts')).delegations))
  const add = (name: 'renew' | 'revoke', summary: string, description: string) =>
    delegations
      .command(name)
      .summary(summary)
      .description(description)
      .argument('<id>', 'as `wayside run --durable` printed it, and `wayside delegations` shows it')
      .addOption(dataOption())
      .addOption(jsonOption())
      .action(run(async () => (await import('./delegations.ts'))[name]))
  add(
    'renew',
    'a home may go on with an invocation that was begun here',
    'Signs again, for an invocation that was begun here, what was signed for it before: for the same home, function, effects, namespaces and fuel, until its deadline. One that was revoked, or whose delegation has expired, goes on.',
  )
  add(
    'revoke',
    'a home goes on no more with an invocation that was begun here',
    'The home of another machine stops an invocation that was begun here, with its journal, until it is renewed. At its deadline it fails; to end it at once: `wayside cancel`.',
  )
}

export const addState = (program: Command, run: Lazily) => {
  const state = program
    .command('state')
    .summary('what functions keep at this home')
    .description('Reads and changes what functions keep at the agent of this machine, by namespaces.')
  const add = (usage: string, summary: string, more: (command: Command) => Command, load: () => Promise<Run>) =>
    more(
      state
        .command(usage)
        .summary(summary)
        .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`),
    )
      .addOption(dataOption())
      .addOption(jsonOption())
      .action(run(load))
  const commands = () => import('./state.ts')
  add(
    'get <namespace> <key>',
    'print a value; exit status 1 if there is none',
    (one) => one,
    async () => (await commands()).get,
  )
  add(
    'put <namespace> <key> [value]',
    'keep a value, JSON, @FILE with JSON or - for stdin, or --delete it',
    (one) => one.option('--delete', 'there is to be no value'),
    async () => (await commands()).put,
  )
  add(
    'list <namespace> [prefix]',
    'print keys and values in order, as of one moment',
    (one) => one.option('--after <key>', 'from behind this key'),
    async () => (await commands()).list,
  )
  add(
    'watch <namespace> [prefix]',
    'print changes as they are committed, one a line, until Ctrl-C',
    (one) => one.option('--after <revision>', 'from behind this revision, if it is still kept (default: from now)'),
    async () => (await commands()).watch,
  )
  add(
    'export <namespace>',
    'print all of a namespace as of one moment, with a count and a hash at the end',
    (one) =>
      one
        .option(
          '--to <peer>',
          'it moves to that home: no writes are taken from now on, and no other home takes the file',
        )
        .option('--moved <sha256>', 'it was imported there with this hash: delete it here')
        .option('--undo', 'it does not move: take writes again'),
    async () => (await import('./state-move.ts')).exportState,
  )
  add(
    'import <file>',
    'keep what was exported: it is compared with the file before it is used',
    (one) => one.option('--undo', 'delete what has arrived of a move that has not ended'),
    async () => (await import('./state-move.ts')).importState,
  )
  add(
    'delete <namespace>',
    'delete all of a namespace',
    (one) => one.option('--yes', 'you mean it; without this, it is said what would be deleted'),
    async () => (await import('./state-move.ts')).deleteState,
  )
  state.addHelpText('after', example(...STATE_EXAMPLES))
}
