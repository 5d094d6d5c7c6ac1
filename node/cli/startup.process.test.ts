import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeFunctions } from '../testing/functions.ts'
import { freshDirectory, startAgent, until, wayside } from '../testing/wayside.ts'

/** What a process imports that is started in this environment. */
const watchImports = () => {
  const seen = join(freshDirectory(), 'seen')
  const hook = `
    import { appendFileSync } from 'node:fs'
    import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => { appendFileSync(${JSON.stringify(seen)}, url + '\\n'); return next(url, context) } })`
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` }
  return { env, urls: () => readFileSync(seen, 'utf8').split('\n') }
}

const packagesIn = (urls: readonly string[]): string[] => {
  const names = urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])
  return [...new Set(names)].sort()
}

/** Names of the packages that a command imports. */
const packagesOf = async (args: string[], cwd: string): Promise<{ packages: string[]; stdout: string }> => {
  const { env, urls } = watchImports()
  const { stdout, status, stderr } = await wayside(args, { cwd, env })
  expect({ status, stderr }).toMatchObject({ status: 0 })
  expect(urls().some((url) => url.endsWith('/node/cli/main.ts'))).toBe(true)
  return { packages: packagesIn(urls()), stdout }
}

test('a command imports what it needs and nothing heavy: no libp2p while an agent runs, no bundler without sources', async () => {
  const cwd = writeFunctions()
  const { data } = await startAgent()
  const light = ['commander', 'multiformats', 'valibot']
  expect((await packagesOf(['--help'], cwd)).packages).toEqual(['commander'])
  expect((await packagesOf(['status', '--data', data], cwd)).packages).toEqual(light)
  const bundled = await packagesOf(['run', 'square.ts', '3', '--json', '--data', data], cwd)
  expect(bundled.packages).toEqual(['commander', 'esbuild', 'multiformats', 'valibot'])
  const cid = JSON.parse(bundled.stdout).function
  expect((await packagesOf(['run', cid, '4', '--data', data], cwd)).packages).toEqual(light)
  const receipt = join(freshDirectory(), 'square.receipt')
  const alone = await packagesOf(['run', 'square.ts', '5', '--local', '--receipt', receipt], cwd)
  expect(alone.packages).not.toContain('libp2p')
  expect((await packagesOf(['verify', receipt], cwd)).packages).toEqual(light)
})

test('an agent to which no browser can come loads nothing of what it would serve', async () => {
  const { env, urls } = watchImports()
  const agent = await startAgent([], { env })
  await agent.stop()
  expect(packagesIn(urls())).toContain('libp2p')
  const forBrowsers = urls().filter((url) =>
    /\/node\/(?:web\/(?!tag\.ts)|websockets)|\/(?:ws|uqr|websockets)\//.test(url),
  )
  expect(forBrowsers).toEqual([])
})

test('an agent imports a way for pages where it listens for them, and no other', async () => {
  const ways = ['@libp2p/circuit-relay-v2', '@libp2p/webrtc', '@libp2p/websockets', 'node-datachannel', 'ws']
  const loadedBy = async (...args: string[]) => {
    const { env, urls } = watchImports()
    const agent = await startAgent(['--no-mdns', ...args], { env })
    await agent.stop()
    return packagesIn(urls()).filter((name) => ways.includes(name))
  }
  expect(await loadedBy()).toEqual([])
  expect(await loadedBy('--relay', '--listen', '/ip4/127.0.0.1/tcp/0/ws')).toEqual([
    ...['@libp2p/circuit-relay-v2', '@libp2p/websockets', 'ws'],
  ])
})

test('an agent that is up has left what it compiled for the next, however it ends', async () => {
  const cache = freshDirectory()
  const agent = await startAgent(['--no-mdns'], { env: { NODE_COMPILE_CACHE: cache } })
  // Beside it is what sandboxes compile (compiled-code.ts).
  const compiled = () =>
    readdirSync(cache, { recursive: true }).filter((path) => !`${path}`.startsWith('wayside-sandbox'))
  await until(() => compiled().length > 200)
  await agent.stop('SIGKILL')
})
