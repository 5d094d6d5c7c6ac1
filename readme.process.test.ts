/** The README's code, run: its sources compiled, its commands against real agents, their output compared. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentProcess, environmentIn, runIn, runWayside, startAgent, WAYSIDE } from './scripts/test/agents.ts'

const ROOT = import.meta.dirname
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** Fenced blocks: `ts FILE` is a source, `console` are commands after `$ ` with what they print, `sh` are commands. */
const blocks = [...README.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(([, language, file, text]) => ({
  language,
  file: file!,
  text: text!,
}))
const sources = blocks.filter(({ language }) => language === 'ts')

interface Step {
  command: string
  printed: string
}

const steps: Step[] = blocks
  .filter(({ language }) => language === 'console')
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((step) => ({ command: step.slice(0, step.indexOf('\n')), printed: step.slice(step.indexOf('\n') + 1) }))

let home = ''
const agents: AgentProcess[] = []

/** A user's folder: the sources of the README, the package under its name, and the command on the path. */
beforeAll(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'wayside-readme-')))
  mkdirSync(join(home, 'node_modules'))
  mkdirSync(join(home, 'bin'))
  symlinkSync(ROOT, join(home, 'node_modules/wayside'))
  const shim = join(home, 'bin/wayside')
  writeFileSync(shim, `#!/bin/sh\nexec '${WAYSIDE.join("' '")}' "$@"\n`)
  chmodSync(shim, 0o755)
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  for (const { file, text } of sources) writeFileSync(join(home, file), text)
  // The first has its data where commands look for it without being told.
  agents.push(await startAgent(WAYSIDE, home, '.wayside'))
  for (const name of ['second', 'third']) agents.push(await startAgent(WAYSIDE, home, name, agents[0]?.ticket))
})

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.stop()))
  rmSync(home, { recursive: true, force: true })
})

const shell = (command: string) => {
  const [ticket] = agents.map((agent) => agent.ticket)
  const path = [join(home, 'bin'), join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  return runIn(home, 'sh', ['-c', command.replaceAll('wayside1…', ticket!)], { ...environmentIn(home), PATH: path })
}

test('there are sources and commands to try', () => {
  expect(sources.map(({ file }) => file)).toEqual(['hello.ts', 'call.ts', 'primes.ts', 'count-primes.ts'])
  expect(steps.length).toBeGreaterThanOrEqual(4)
})

test('the sources compile', async () => {
  const compilerOptions = {
    ...{ noEmit: true, strict: true, target: 'es2024', module: 'nodenext', skipLibCheck: true },
    ...{ allowImportingTsExtensions: true, types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
  }
  const files = sources.map(({ file }) => file)
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', home, '--pretty', 'false']
  expect(await runIn(home, process.execPath, tsc)).toMatchObject({ stdout: '', status: 0 })
})

test.each(steps)('$command', async ({ command, printed }) => {
  const { status, stdout, stderr } = await shell(command)
  expect([status, stdout], stderr).toEqual([0, printed])
})

test('the first example is in the checkout, as it is called and as it is shown', async () => {
  const shown = sources.find(({ file }) => file === 'hello.ts')?.text
  expect(readFileSync(join(ROOT, 'examples/hello/hello.ts'), 'utf8')).toBe(shown)
  const call = /^npx wayside run (examples\/\S+) '(.*)'$/m.exec(README)
  expect(call).not.toBeNull()
  const [, file, input] = call!
  const { status, stdout } = await runWayside(
    WAYSIDE,
    ['run', join(ROOT, file!), input!, '--data', join(home, 'none')],
    home,
  )
  expect([status, stdout]).toEqual([0, '{"text":"Hello, Ada"}\n'])
})

test('the other commands exist', async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const [, script] of README.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(script)
  const { stdout: help } = await runWayside(WAYSIDE, ['--help'], home)
  for (const [, name] of README.matchAll(/(?:^|`)(?:npx )?wayside ([a-z]+)/gm)) {
    if (name !== 'verify') expect(help).toMatch(new RegExp(`^ +${name} `, 'm'))
  }
})

test('what it links to exists', () => {
  for (const [, path] of README.matchAll(/\]\(([^):]+)\)/g))
    expect(() => realpathSync(join(ROOT, path!)), path).not.toThrow()
})
