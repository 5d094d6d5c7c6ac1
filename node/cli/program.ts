/** The commands, their options and their help. What a command does is imported when it runs. */
import { Command, type HelpConfiguration, Option } from 'commander'
import { VERSION } from '../version.ts'
import { addDelegations, addDurable, addState } from './home-program.ts'
import { dataOption, example, jsonOption, type Lazily } from './options.ts'
import { paint, paintOut } from './terminal.ts'

const collect = (value: string, before: string[] = []) => [...before, value]
const SETTINGS = `
Each of these settings can also stand in a variable, as WAYSIDE_CPUS=2, or in
the configuration file, as {"cpus": 2}. The flag counts before the variable, the
variable before the file.
`

const EXIT_STATUS = `
Exit status: 0 ok, 1 the function failed, 2 usage, 3 a limit hit (fuel, memory,
output), 4 no peer took it, 5 verification failed or insufficient, 124 timeout,
130 Ctrl-C.
`

const HELP: HelpConfiguration = {
  // Beside the longest of the names 80 columns leave less than the usual 40.
  minWidthToWrap: 20,
  styleTitle: (text) => paintOut('bold', text),
  styleCommandText: (text) => paintOut('cyan', text),
  styleOptionText: (text) => paintOut('cyan', text),
  styleSubcommandText: (text) => paintOut('cyan', text),
  styleArgumentText: (text) => paintOut('cyan', text),
}

const FUNCTION = 'FILE[#export], or the CID of a function with #export'
const configOption = () =>
  new Option('--config <file>', 'configuration as JSON (default: config.json in the data directory)')

/** How functions are called: shared by `run` and `map`. */
const callOptions = (command: Command): Command =>
  command
    .option('--local', 'run in the sandbox of this machine, without any network')
    .option(
      '--verify <level>',
      'how answers are checked: none, audit, self or quorum:N (default: audit; self if it calls others)',
    )
    .option('--timeout <duration>', 'give a call up after 500ms, 30s, 5m (default: 5m)')
    .option('--fuel <n>', 'the most steps a call may take; the same everywhere (default: 10000000000)')
    .option('--remote', 'rather fail than run on this machine')
    .option('--public', 'code and input may be shown: a proof that an executor lied is told to other machines')

const addUp = (program: Command, run: Lazily) =>
  program
    .command('up')
    .summary('lend this machine')
    .description(
      'Lends this machine, in the foreground, until Ctrl-C. The first time it founds a private mesh and prints a ticket; other machines join with it. Everything is kept in one data directory.',
    )
    .option('-d, --detach', 'go to the background once the agent answers')
    .option('--cpus <n>', 'cores to lend; 0 lends nothing (default: half of them)')
    .option('--memory <size>', 'memory to lend, for all tasks together (default: a quarter of what is free)')
    .option('--disk <size>', 'disk for the code of functions and for verified answers (default: 1GiB)')
    .option(
      '--accept <who>',
      'who may use it: self, mesh, anyone or a PeerId; may be repeated (default: mesh)',
      collect,
    )
    .option('--deny <peerid>', 'a peer to have no dealings with; may be repeated', collect)
    .option('--listen <addr>', 'multiaddr to listen on; may be repeated (default: /ip4/0.0.0.0/tcp/0)', collect)
    .option('--join <ticket|addr>', 'ticket or multiaddr of a peer of the mesh; may be repeated', collect)
    .option('--own', 'join as a machine of the inviter’s owner: the ticket is of `wayside invite --own`')
    .option('--phone', 'show a QR code with which a phone lends, too')
    .option('--relay', 'carry for members whom nobody can dial, such as pages; they are bounded')
    .option(
      '--etcd <url>',
      'node of the etcd in which several homes keep one state; may be repeated (default: in the data directory)',
      collect,
    )
    .option('--no-mdns', 'do not look for peers on the local network')
    .addOption(dataOption())
    .addOption(configOption())
    .addOption(new Option('--log-format <format>', 'text or json (default: text)'))
    .addOption(new Option('--log-level <level>', 'debug, info, warn or error (default: info)'))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        'wayside up                              half the cores, for your own mesh',
        'wayside up --join wayside1…             join the mesh that printed this ticket',
        'wayside up -d --cpus 2 --memory 2GiB    two cores, in the background',
        'wayside up --data ~/.wayside-2          a second agent on this machine',
      ) + SETTINGS,
    )
    .action(run(async () => (await import('./up.ts')).up))

const addOwnerCommands = (program: Command, run: Lazily) => {
  program
    .command('status')
    .summary('what is lent, to whom, and what runs now')
    .description(
      'Says what this machine lends, to whom, what runs now and for which peer, what was done today, the last refusal and why, and how to invite others.',
    )
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside status', 'wayside status --json'))
    .action(run(async () => (await import('./owner.ts')).status))
  program
    .command('pause')
    .summary('take no new work')
    .description('Takes no new work, for the duration or until `wayside resume`. What runs goes on.')
    .argument('[duration]', '500ms, 30s, 5m, 2h')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside pause 2h', 'wayside pause'))
    .action(run(async () => (await import('./owner.ts')).pause))
  program
    .command('resume')
    .summary('take work again')
    .description('Ends a pause; on battery too.')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(run(async () => (await import('./owner.ts')).resume))
  program
    .command('down')
    .summary('stop the agent')
    .description('Stops the agent: no new work is taken, what runs is handed back.')
    .option('--erase', 'and erase the data directory: key, membership, code, log')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside down', 'wayside down --erase     as if it had never run here'))
    .action(run(async () => (await import('./owner.ts')).down))
  program
    .command('peers')
    .summary('the peers in reach')
    .description('Lists the peers in reach: how far they are, what they have free, how many of our tasks they run.')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(run(async () => (await import('./owner.ts')).peers))
  program
    .command('usage')
    .summary('what this machine and others have done for each other')
    .description(
      'Lists what this machine has lent to each peer and used of it, in fuel, as both have signed it; the balance, what is not signed yet, and how many tasks of that peer have their turn together here while others wait.',
    )
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside usage', 'wayside usage --json'))
    .action(run(async () => (await import('./owner.ts')).usage))
  program
    .command('logs')
    .summary('what the agent did')
    .description('Prints the log of the agent; with an ID, only the lines that name that task, function or peer.')
    .argument('[id]', 'a task, invocation, function or peer, whole or shortened as the log shows it')
    .option('-f, --follow', 'go on with what comes')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside logs -f', 'wayside logs 12D3…x7Qp2a'))
    .action(run(async () => (await import('./logs.ts')).logs))
}

const addMeshCommands = (program: Command, run: Lazily) => {
  program
    .command('invite')
    .summary('a ticket for another machine')
    .description(
      'Prints a ticket: whoever shows it to this agent before it expires becomes a member of the mesh, for a year. It is as good as a password. On a public mesh, where nobody needs a ticket, this machine vouches for whoever joins by it, and answers for what such a guest does. With --own it is for another machine of yours: it lets in one, which the machines that you have then trust as they trust each other.',
    )
    .option('--own', 'for a machine of your own, once')
    .option('--for <duration>', 'how long the ticket holds, up to 720h (default: 24h; with --own up to 60m, 10m)')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        'wayside invite',
        'wayside invite --for 10m',
        'wayside up --join $(ssh attic wayside invite)',
        'wayside up --own --join $(ssh attic wayside invite --own)',
      ),
    )
    .action(run(async () => (await import('./invite.ts')).invite))
  const mesh = program
    .command('mesh')
    .summary('which mesh this is, who is in it, and who was put out')
    .description('Says which mesh this machine belongs to and as what, which members it has met, and who was revoked.')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('wayside mesh', 'wayside mesh revoke 12D3KooW…'))
    .action(run(async () => (await import('./mesh.ts')).mesh))
  mesh
    .command('revoke')
    .summary('put a peer out, for good')
    .description(
      'Tells all members that a peer, and whoever joined by its invitation, belongs to the mesh no longer. The operator may revoke anyone, a member those who joined by its invitation; on a public mesh a member withdraws by it what it vouched for.',
    )
    .argument('<peerid>', 'as `wayside mesh` or `wayside peers` shows it, whole')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(run(async () => (await import('./mesh.ts')).revoke))
}

const addRun = (program: Command, run: Lazily) =>
  callOptions(
    program
      .command('run')
      .summary('call a function')
      .description(
        'Calls a function with an input and prints its result. The agent of this machine finds a peer for it; without an agent, or with no peer in reach, it runs in the sandbox here and says so.',
      )
      .argument('<function>', FUNCTION)
      .argument('[input]', 'JSON, @FILE with JSON, or - for JSON on stdin (default: null)'),
  )
    .option('--receipt <file>', 'keep the signed receipts, with all that is needed to check them')
    .option(
      '--trace <ticks>',
      'with --receipt: hash the memory every so many ticks of 10000 fuel, so that `verify` can say when two runs part',
    )
    .option('-o, --output <file>', 'write the result there; bytes as they are, anything else as JSON')
    .option('--durable', 'let the agent keep it and go on with it, whatever ends meanwhile; see `wayside ps`')
    .addOption(dataOption())
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        `wayside run hello.ts '{"name":"Ada"}'`,
        'wayside run stats.ts#median @numbers.json --verify quorum:2',
        'wayside run thumbnail.ts @job.json -o out.png --receipt out.receipt',
        'wayside run order.ts @order.json --durable',
      ) + EXIT_STATUS,
    )
    .action(run(async () => (await import('./run.ts')).run))

const addMap = (program: Command, run: Lazily) =>
  callOptions(
    program
      .command('map')
      .summary('call a function for each of many inputs')
      .description(
        'Calls a function for each input, on all peers at once, and writes one line for each: {"index":0,"value":…} or {"index":0,"error":{"code","message"}}. An item that fails stops nothing; the exit status is then 1.',
      )
      .argument('<function>', FUNCTION)
      .argument('[input]', 'file with one JSON text a line, or - for stdin'),
  )
    .option('--range <A..B>', 'the inputs are the integers from A to B, both included')
    .option('--files <path...>', 'the inputs are files, each as { name, bytes }')
    .option('--unordered', 'lines as they come, not in the order of the inputs')
    .option('--fail-fast', 'end with the first item that fails')
    .option('-o, --output <file>', 'write the lines there; FILE.wayside beside it says of which work they are')
    .option('--resume', 'go on with the file of -o where it stopped; failed items count as done')
    .addOption(dataOption())
    .addOption(configOption())
    .addOption(new Option('--json', 'print a summary as JSON: on stdout with -o, else on stderr'))
    .addHelpText(
      'after',
      example(
        'wayside map collatz.ts --range 0..99 > lengths.ndjson',
        'wayside map outline.ts --files docs/*.md -o outlines.ndjson',
        'wayside map score.ts people.ndjson -o scores.ndjson --resume',
      ) + EXIT_STATUS,
    )
    .action(run(async () => (await import('./map.ts')).map))

const addDev = (program: Command, run: Lazily) =>
  program
    .command('dev')
    .summary('serve a fetch handler on this machine, while you write it')
    .description(
      'Serves a file that exports default { fetch(request, env, ctx) }, as Workers and hono apps do: each HTTP request is one call of it. It listens on loopback alone. What is saved is served at once; what does not build or throws is shown here and in the browser.',
    )
    .argument('<file>', 'the file of the handler')
    .option('--port <n>', 'port on 127.0.0.1 and ::1; 0 for any that is free (default: 8787)')
    .option('--remote', 'call it on the mesh, not in the sandbox of this machine')
    .addOption(dataOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      `${example('wayside dev app.ts', 'wayside dev src/index.ts --port 3000', 'wayside dev app.ts --remote')}
Exit status: 130 Ctrl-C, 2 usage, no such file, or the port is taken.
`,
    )
    .action(run(async () => (await import('./dev.ts')).dev))

const addVerify = (program: Command, run: Lazily) =>
  program
    .command('verify')
    .summary('check signed receipts, and proofs of wrong ones')
    .description(
      'Checks a file of signed receipts: who signed what, for whom, and whether running it again here gives the same. A receipt is right; or wrong, and then a proof against its signer that anyone can check like this; or it proves nothing, and the reason is printed. Of receipts with traces (`run --trace`) it says as well at which tick the memory first differs, from the run here and from each other. Needs no agent and no network: the file carries all that it names.',
    )
    .argument('<file>', 'what `run --receipt FILE` or the demo wrote, or FILE.proof-N.cbor beside it')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `${example(
        `wayside run hello.ts '{"name":"Ada"}' --receipt ada.receipt`,
        'wayside verify ada.receipt',
        `wayside verify ada.receipt --json | jq -r '.receipts[].verdict'`,
      )}
Exit status: 0 every receipt is right, 5 one is wrong or proves nothing, 2 no
such file, or no receipt file.
`,
    )
    .action(run(async () => (await import('./verify.ts')).verify))

const addReplay = (program: Command, run: Lazily) =>
  program
    .command('replay')
    .summary('run again here what happened')
    .description(
      'Runs the answer of a receipt file, or a durable invocation, again here, with the answers that it was given, and says whether everything is the same, bit for bit: what it asked for, what came of it, its fuel, and its memory where the receipt has hashes of it (`run --trace`). One that still runs is run as far as it has come. With --with it runs other code in its place, and says at which request that parts from what happened, or what else comes of it: so a fix is tested against what really happened. Nothing is asked of anybody again. A receipt file needs no agent and no network; an ID needs the agent that keeps the invocation.',
    )
    .argument('<what>', 'what `run --receipt FILE` wrote, or the ID of a durable invocation (`wayside ps --all`)')
    .option('--log', 'print requests and answers in their order, with their sizes in bytes, and times if there are any')
    .option('--until <n>', 'stop before request n, counted from 0, and show it, and what was printed so far')
    .option('--with <file>', 'run this code, FILE[#export], with the recorded input, journal and chance')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `${example(
        'wayside run order.ts @order.json --receipt order.receipt',
        'wayside replay order.receipt --log',
        'wayside replay order.receipt --until 3',
        'wayside replay bafyrei… --log                    a durable invocation',
        'wayside replay order.receipt --with order.ts     in CI: fails where they part',
      )}
Exit status: 0 the same, as far as it has come, 2 usage, no such file or ID,
4 this version has not got the engine, or not all blocks are there, 5 it differs
or the file proves nothing, 6 no agent, for an ID.
`,
    )
    .action(run(async () => (await import('./replay.ts')).replay))

/** `exited` is told the exit status of the command that ran. */
export const createProgram = (exited: (status: number) => void): Command => {
  const run: Lazily =
    (load) =>
    async (...args) => {
      // Commander adds the command itself, which also has the options that were taken for those of its parent.
      const command = args.at(-1) as Command
      const status = await (await load())(...([...args.slice(0, -2), command.optsWithGlobals()] as never[]))
      exited(status ?? 0)
    }
  const program = new Command('wayside')
    .description('Run functions on the idle computers along the way.')
    .version(VERSION, '-V, --version', 'print the version')
    .configureHelp(HELP)
    .configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: /, `${paint(['red', 'bold'], 'error')} ${paint('bold', 'E_USAGE')}: `)),
    })
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      example(
        `wayside run hello.ts '{"name":"Ada"}'   call a function, where there is room`,
        'wayside up                              lend this machine; prints a ticket',
      ),
    )
  addUp(program, run)
  addOwnerCommands(program, run)
  addMeshCommands(program, run)
  addRun(program, run)
  addMap(program, run)
  addDurable(program, run)
  addDelegations(program, run)
  addState(program, run)
  addDev(program, run)
  addVerify(program, run)
  addReplay(program, run)
  return program
}
