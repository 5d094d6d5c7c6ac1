/** The README's code, run: its sources compiled, its commands against real agents, their output compared. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { begin, freshDirectory, startAgent, statusOf, until, wayside } from './node/testing/wayside.ts'

const ROOT = import.meta.dirname
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** Fenced blocks: `ts FILE` and `c FILE` are sources, `console` are commands after `$ ` with what they print, `sh` are commands. */
const blocks = [...README.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(([, language, file, text]) => ({
  language,
  file: file!,
  text: text!,
}))
const sources = blocks.filter(({ language }) => language === 'ts' || language === 'c')

interface Step {
  command: string
  printed: string
}

const steps: Step[] = blocks
  .filter(({ language }) => language === 'console')
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((step) => ({ command: step.slice(0, step.indexOf('\n')), printed: step.slice(step.indexOf('\n') + 1) }))

let home = ''
let ticket = ''

/** A user's folder: the sources of the README, the package under its name, and the command on the path. */
beforeAll(async () => {
  home = realpathSync(freshDirectory())
  mkdirSync(join(home, 'node_modules/.bin'), { recursive: true })
  symlinkSync(ROOT, join(home, 'node_modules/wayside'))
  symlinkSync(join(ROOT, 'bin/wayside.js'), join(home, 'node_modules/.bin/wayside'))
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  for (const { file, text } of sources) writeFileSync(join(home, file), text)
  // The first has its data where commands look for it without being told.
  const first = await startAgent([], { data: join(home, '.wayside') })
  ticket = first.status.ticket!
  await Promise.all([1, 2].map(() => startAgent(['--join', ticket])))
  await until(async () => (await statusOf(first.data)).neighbours.filter(({ slots }) => slots > 0).length === 2)
})

const shell = async (command: string): Promise<string> => {
  const bins = [home, ROOT].map((folder) => join(folder, 'node_modules/.bin'))
  const env = { HOME: home, PATH: [...bins, process.env.PATH].join(delimiter) }
  const { stdout } = await promisify(execFile)('sh', ['-c', command.replaceAll('wayside1…', ticket)], {
    cwd: home,
    env,
  })
  return stdout
}

test('there are sources and commands to try', () => {
  expect(sources.map(({ file }) => file)).toEqual([
    ...['hello.ts', 'call.ts', 'primes.ts', 'count-primes.ts', 'page.ts', 'build.ts', 'app.ts', 'visit.ts'],
    ...['program.c', 'kernel.as.ts'],
  ])
  expect(steps.length).toBeGreaterThanOrEqual(4)
})

test('the sources compile', async () => {
  const compilerOptions = {
    ...{ noEmit: true, strict: true, target: 'es2024', module: 'nodenext', skipLibCheck: true },
    ...{ allowImportingTsExtensions: true, types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
  }
  const files = sources.map(({ file }) => file).filter((file) => /(?<!\.as)\.ts$/.test(file))
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const program = join(ROOT, 'node_modules/typescript/bin/tsc')
  expect(await wayside(['-p', home, '--pretty', 'false'], { program })).toMatchObject({ stdout: '', status: 0 })
})

test.each(steps)('$command', async ({ command, printed }) => {
  expect(await shell(command)).toBe(printed)
})

test('the handler is served', async () => {
  const asked = /^curl 'http:\/\/localhost:8787(\/.*)'$/m.exec(README)?.[1]
  const { child, ended } = begin(['dev', 'app.ts', '--port', '0'], { cwd: home })
  const url = await new Promise<string>((resolve) => {
    child.stderr!.on('data', (text: string) => {
      const [found] = /http:\/\/localhost:\d+/.exec(text) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  expect(await (await fetch(url + asked)).json()).toEqual({ text: 'Hello, Ada' })
  child.kill('SIGINT')
  expect((await ended).status).toBe(130)
})

test('the first example is in the checkout, as it is called and as it is shown', async () => {
  const shown = sources.find(({ file }) => file === 'hello.ts')?.text
  expect(readFileSync(join(ROOT, 'examples/hello/hello.ts'), 'utf8')).toBe(shown)
  const call = /^npx wayside run (examples\/\S+) '(.*)'$/m.exec(README)
  expect(call).not.toBeNull()
  const [, file, input] = call!
  const { status, stdout } = await wayside(['run', file!, input!, '--data', freshDirectory()], { cwd: ROOT })
  expect([status, stdout]).toEqual([0, '{"text":"Hello, Ada"}\n'])
})

test('the other commands exist', async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const [, script] of README.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(script)
  const { stdout: help } = await wayside(['--help'])
  for (const [, name] of README.matchAll(/(?:^|`)(?:npx )?wayside ([a-z]+)/gm))
    expect(help).toMatch(new RegExp(`^ +${name} `, 'm'))
})

test('what it links to exists', () => {
  for (const [, path] of README.matchAll(/\]\(([^):]+)\)/g))
    expect(() => realpathSync(join(ROOT, path!)), path).not.toThrow()
})
