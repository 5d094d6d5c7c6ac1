// The first half of every npm script: makes node_modules match the lock file, and returns at once when it does. With a
// folder as its argument it does so there. In a checkout it then has what agents serve to pages built, if that is old.
// CommonJS that Node 18 parses, without dependencies: it runs before anything is installed, on whatever Node is there.
const { spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

const ROOT = path.resolve(process.argv[2] ?? path.dirname(__dirname))
const MODULES = path.join(ROOT, 'node_modules')
// In node_modules, so that removing that folder removes the stamp as well.
const STAMP = path.join(MODULES, '.setup.json')
const LOCK = path.join(ROOT, '.setup-lock')
const LOCK_WAIT_MS_MAX = 10 * 60 * 1000
const LOCK_POLL_MS = 200
/** The pinned Node alone takes 190 MB. */
const SPACE_BYTES_MIN = 200e6
/** npm's own waits between tries add up to 90 s before it says that there is no network. */
const RETRIES = { npm_config_fetch_retry_mintimeout: '1000', npm_config_fetch_retry_maxtimeout: '5000' }
const INSTALL = [
  'ci',
  '--include=dev',
  '--include=optional',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
]

const OFFLINE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ENOTCACHED)\b/
const NOT_WRITABLE = /\b(EROFS|EACCES|EPERM)\b/

/** One sentence on what stopped the set-up and what to do; `output` is an error's text or what npm printed. */
const explain = (output) => {
  const at = /^npm error path (.*)$/m.exec(output)?.[1] ?? ROOT
  if (/\bENOSPC\b/.test(output)) return 'The disk is full: free 1 GB and run the same command again.'
  if (NOT_WRITABLE.test(output))
    return `Not allowed to write to ${at}: work in a checkout and a HOME that you may write to.`
  if (OFFLINE.test(output))
    return 'npm could not reach its registry: connect to the network (or set its proxy) and run the same command again.'
  if (/\bEUSAGE\b/.test(output))
    return 'package-lock.json does not match package.json: run npm install and commit both.'
  const firstLines = output.trim().split('\n').slice(0, 10).join('\n')
  return `npm ci failed: ${firstLines || 'it printed nothing'}`
}

const fail = (sentence) => {
  throw Object.assign(new Error(sentence), { sentence })
}

const wantedStamp = () => {
  const lockFile = fs.readFileSync(path.join(ROOT, 'package-lock.json'))
  return createHash('sha256').update(lockFile).update(`${process.platform} ${process.arch}`).digest('hex')
}

const isCurrent = (stamp) => {
  try {
    return JSON.parse(fs.readFileSync(STAMP, 'utf8')).stamp === stamp
  } catch {
    return false
  }
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** The pid in the lock directory; undefined while its owner has not written it yet. */
const lockOwner = () => {
  try {
    return Number(fs.readFileSync(path.join(LOCK, 'pid'), 'utf8')) || undefined
  } catch {
    return undefined
  }
}

const mkdirIfFree = (directory) => {
  try {
    fs.mkdirSync(directory)
    return true
  } catch (error) {
    if (error.code === 'EEXIST' || error.code === 'ENOENT') return false
    throw error
  }
}

const writeOwner = () => fs.writeFileSync(path.join(LOCK, 'pid'), String(process.pid))

/** Takes the lock of a process that died. Only one of several heirs makes the directory `heir`, so only one takes over. */
const inherit = (deadPid) => {
  const heir = path.join(LOCK, 'heir')
  if (!mkdirIfFree(heir)) return false
  const mine = lockOwner() === deadPid
  if (mine) writeOwner()
  fs.rmdirSync(heir)
  return mine
}

const takeLock = () => {
  const giveUpAt = Date.now() + LOCK_WAIT_MS_MAX
  let told = false
  for (;;) {
    if (mkdirIfFree(LOCK)) return writeOwner()
    const owner = lockOwner()
    if (owner !== undefined && !isAlive(owner) && inherit(owner)) return
    if (Date.now() > giveUpAt)
      fail(`Another set-up (process ${owner ?? 'unknown'}) does not end: if there is none, remove ${LOCK}.`)
    if (!told && owner !== undefined) console.error(`Waiting for the set-up that process ${owner} is running.`)
    told = told || owner !== undefined
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS)
  }
}

const isMusl = () => {
  if (process.platform !== 'linux') return false
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime === undefined
}

const install = () => {
  const npm = process.env.npm_execpath
  if (!npm || !path.basename(npm).startsWith('npm')) fail('Start this through npm, as in: npm run demo')
  console.error('Installing the npm packages, once for this lock file.')
  const { status, error, stdout, stderr } = spawnSync(process.execPath, [npm, ...INSTALL], {
    cwd: ROOT,
    env: { ...process.env, ...RETRIES },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status !== 0) fail(explain(error ? String(error) : `${stderr}${stdout}`))
}

const atLeast = (version, minimum) => {
  const [have, want] = [version, minimum].map((text) => text.replace(/^\D*/, '').split('.').map(Number))
  return have[0] > want[0] || (have[0] === want[0] && have[1] >= want[1])
}

/**
 * Where a pinned Node is published for this machine it must be the one that runs; elsewhere the machine's own must do. A
 * package that says nothing of Node needs none.
 */
const checkNode = () => {
  const { engines, optionalDependencies = {} } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
  if (engines === undefined) return
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const pinned = optionalDependencies[`node-${platform}-${process.arch}`]
  if (pinned === undefined) {
    if (!atLeast(process.version, engines.node))
      fail(`This machine has Node ${process.version}, and Wayside needs ${engines.node}: install Node 24.`)
    return
  }
  const name = process.platform === 'win32' ? 'node.cmd' : 'node'
  const found = spawnSync(path.join(MODULES, '.bin', name), ['--version'], { encoding: 'utf8', shell: name !== 'node' })
  if (found.stdout?.trim() === `v${pinned}`) return
  // It is an optional dependency: when npm cannot write or fetch it, npm passes over it and reports success.
  const { bavail, bsize } = fs.statfsSync(ROOT)
  if (bavail * bsize < SPACE_BYTES_MIN) fail(explain('ENOSPC'))
  const instead = found.error?.code ?? (found.stdout.trim() || found.signal || `exit ${found.status}`)
  fail(`The pinned Node ${pinned} does not run here (${instead}): remove ${MODULES} and run the same command again.`)
}

/** What does not build is said, and stops nobody: the types and the tests say more. */
const buildWeb = () => {
  const builder = path.join(ROOT, 'scripts/web/build.ts')
  if (!fs.existsSync(builder)) return
  // The pinned one: npm puts its folder first.
  const { status } = spawnSync('node', [builder], { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) console.error('wayside set-up: what agents serve to pages could not be built, as said above.')
}

const ensurePackages = () => {
  const stamp = wantedStamp()
  if (isCurrent(stamp)) return
  if (isMusl()) fail('The pinned Node needs glibc and this system has musl: use a glibc one, such as Debian.')
  const startedAt = Date.now()
  takeLock()
  try {
    if (isCurrent(stamp)) return
    install()
    checkNode()
    fs.writeFileSync(STAMP, JSON.stringify({ stamp, finishedAt: Date.now(), tookMs: Date.now() - startedAt }))
  } finally {
    fs.rmSync(LOCK, { recursive: true, force: true })
  }
}

try {
  ensurePackages()
  buildWeb()
} catch (error) {
  console.error(`wayside set-up: ${error.sentence ?? (error.code ? explain(error.code) : error.stack)}`)
  process.exitCode = 1
}
