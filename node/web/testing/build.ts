/** A build of the browser agent for tests of who serves it: small files under the names that a real one has. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const hashOf = (body: Uint8Array) => createHash('sha384').update(body).digest('base64')

export const FRAME_CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"

export const BUILD = {
  'wayside-0a1b.js': { type: 'text/javascript; charset=utf-8', body: Buffer.from(`// ${'loader '.repeat(500)}`) },
  'wayside-frame-0a1b.html': {
    type: 'text/html; charset=utf-8',
    body: Buffer.from('<!doctype html><title>Wayside</title>'),
    headers: { 'content-security-policy': FRAME_CSP },
  },
  'engine-0a1b.wasm': {
    type: 'application/wasm',
    body: Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 251)),
  },
} as const

/** Its folder, with `extra` put into the manifest; gone when the test is finished. */
export const writeBuild = (extra: Record<string, unknown> = {}): string => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-web-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const files = Object.entries(BUILD).map(([name, file]) => {
    writeFileSync(join(folder, name), file.body)
    const { type, body } = file
    return [name, { type, sha384: hashOf(body), headers: 'headers' in file ? file.headers : {} }] as const
  })
  const manifest = {
    loader: 'wayside-0a1b.js',
    integrity: `sha384-${hashOf(BUILD['wayside-0a1b.js'].body)}`,
    frame: 'wayside-frame-0a1b.html',
    files: Object.fromEntries(files),
    ...extra,
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  return folder
}
