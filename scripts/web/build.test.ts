import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { buildWeb, ensureWeb, WEB_FOLDER, type WebManifest } from './build.ts'

const freshFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-web-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

const manifestOf = (folder: string): WebManifest => JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))

beforeAll(() => ensureWeb())

test('the same sources give the same names and bytes, wherever they are built', async () => {
  const folder = freshFolder()
  await buildWeb(folder)
  expect(readdirSync(folder).sort()).toEqual(readdirSync(WEB_FOLDER).sort())
  expect(manifestOf(folder)).toEqual(manifestOf(WEB_FOLDER))
})

test('a page has one copy of each package, and no keys but those of peers', async () => {
  const { outputs } = (await buildWeb(freshFolder())).metafile
  for (const source of ['browser-agent/frame/lending.ts', 'browser-agent/worker.ts']) {
    const inputs = Object.entries(outputs[source]!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    const copies = new Set(
      inputs.map(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean),
    )
    const names = [...copies].map((path) => path!.replace(/^.*node_modules\//, ''))
    expect(names.toSorted()).toEqual([...new Set(names)].sort())
    expect(names.length).toBeGreaterThan(1)
    expect(inputs.filter(([path]) => /crypto\/dist\/src\/keys\/(rsa|ecdsa|secp256k1)\//.test(path))).toEqual([])
  }
})

test('each file is named in the manifest, with the hash of its bytes', async () => {
  const { files, loader, frame, integrity } = manifestOf(WEB_FOLDER)
  for (const [name, { sha384, type }] of Object.entries(files)) {
    expect(type).toMatch(/^(text\/(javascript|html); charset=utf-8|application\/wasm)$/)
    const hash = createHash('sha384').update(readFileSync(join(WEB_FOLDER, name)))
    expect(sha384, name).toBe(hash.digest('base64'))
    expect(name).toContain(Buffer.from(sha384, 'base64').toString('hex').slice(0, 12))
  }
  expect(integrity).toBe(`sha384-${files[loader]?.sha384}`)
  expect(files[frame]?.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha384-/)
  const others = readdirSync(WEB_FOLDER).filter((name) => !files[name])
  expect(others.sort()).toEqual(['manifest.json', 'sources.json'])
})

test('it is built again when a source has changed, and what was there before goes', async () => {
  const folder = freshFolder()
  await buildWeb(folder)
  const builtAt = () => statSync(join(folder, 'manifest.json')).mtimeMs
  const first = builtAt()
  await ensureWeb(folder)
  expect(builtAt()).toBe(first)
  const { sources, digest } = JSON.parse(readFileSync(join(folder, 'sources.json'), 'utf8'))
  expect(sources).toEqual(
    expect.arrayContaining(['browser-agent/frame/boot.ts', 'browser-agent/frame/frame.html', 'sandbox/quickjs.wasm']),
  )
  const source = relative(join(import.meta.dirname, '../..'), join(folder, 'wayside-old.js'))
  writeFileSync(join(folder, 'wayside-old.js'), 'a source that changed')
  writeFileSync(join(folder, 'sources.json'), JSON.stringify({ digest, sources: [...sources, source] }))
  await ensureWeb(folder)
  expect(builtAt()).toBeGreaterThan(first)
  expect(readdirSync(folder)).not.toContain('wayside-old.js')
})
