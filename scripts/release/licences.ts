/** The licences of the packages that are bundled. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { BUNDLED_PACKAGES } from '../engine/guest.ts'
import { SOURCE_PACKAGE } from '../engine/source.ts'
import { ROOT } from './layout.ts'

const PACKAGE_FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i

const noticeOf = (folder: string): string => {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'))
  const files = readdirSync(join(ROOT, folder)).filter((file) => LICENCE_FILE.test(file))
  const texts = files.map((file) => readFileSync(join(ROOT, folder, file), 'utf8').trim())
  return [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n')
}

/** One text: each bundled package, and those that the engine and the guest's code are made of, with its licence and what that asks to be passed on. */
export const thirdPartyNotices = (metafiles: readonly Metafile[]): string => {
  const inputs = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap((output) => Object.keys(output.inputs))
  const folders = inputs.flatMap((input) => PACKAGE_FOLDER.exec(input)?.[1] ?? [])
  const notices = [
    ...new Set([...folders, ...[SOURCE_PACKAGE, ...BUNDLED_PACKAGES].map((name) => `node_modules/${name}`)]),
  ]
    .sort()
    .map(noticeOf)
  return `What is published contains code of these packages.\n\n${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}
