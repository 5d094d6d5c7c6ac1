/** workerd on a loopback port: it answers a request with an isolate made for it, or with one that is there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { httpCaller } from '../http-client.ts'
import { workerdProgram } from './install.ts'

const READY_MS_MAX = 20_000
const COMPATIBILITY_DATE = '2026-10-01'

const config = (port: number) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .main) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ]
);
const main :Workerd.Worker = (
  modules = [ (name = "main.js", esModule = embed "main.js") ],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [ (name = "LOADER", workerLoader = ()) ],
);
`

const main = (module: string) => `const code = ${JSON.stringify(module)}
const serve = 'import f from "f.js"; export default { async fetch() { return new Response(String(f(41))) } }'
let n = 0
const load = async () => ({
  compatibilityDate: '${COMPATIBILITY_DATE}',
  mainModule: 'serve.js',
  modules: { 'f.js': code, 'serve.js': serve },
})
export default {
  async fetch(request, env) {
    const name = (await request.json()) === 'fresh' ? 'fresh ' + n++ : 'warm'
    return env.LOADER.get(name, load).getEntrypoint().fetch('http://worker/')
  },
}
`

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

export class WorkerdServer {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #call: (input: unknown) => Promise<unknown>

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child
    this.#folder = folder
    this.#call = httpCaller(port, 1)
  }

  /** `module`: an ES module whose default export takes a number. */
  static async start(module: string): Promise<WorkerdServer> {
    const folder = mkdtempSync(join(tmpdir(), 'wayside-workerd-'))
    const port = await freePort()
    writeFileSync(join(folder, 'config.capnp'), config(port))
    writeFileSync(join(folder, 'main.js'), main(module))
    const program = workerdProgram()
    // npm keeps the mode only when it may run the package's scripts.
    chmodSync(program, 0o755)
    const child = spawn(program, ['serve', 'config.capnp', '--experimental'], { cwd: folder, stdio: 'ignore' })
    const server = new WorkerdServer(child, folder, port)
    const untilMs = performance.now() + READY_MS_MAX
    for (;;) {
      try {
        await server.request('warm')
        return server
      } catch (cause) {
        if (performance.now() > untilMs || child.exitCode !== null)
          throw new Error('workerd does not answer', { cause })
        await sleep(50)
      }
    }
  }

  /** Milliseconds that the request took. */
  async request(which: 'fresh' | 'warm'): Promise<number> {
    const fromMs = performance.now()
    const answer = await this.#call(which)
    const ms = performance.now() - fromMs
    if (answer !== 42) throw new Error(`workerd answered ${answer}`)
    return ms
  }

  stop(): void {
    this.#child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
