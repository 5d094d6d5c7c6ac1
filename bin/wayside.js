#!/usr/bin/env node
// Old syntax on purpose: Node 12 must be able to read this file, so that it can say what is wrong. Nothing is imported
// before the version is known.
var OLDEST = [22, 18]
var found = process.versions.node.split('.').map(Number)

if (found[0] < OLDEST[0] || (found[0] === OLDEST[0] && found[1] < OLDEST[1])) {
  process.stderr.write(
    'error: wayside needs Node.js ' +
      OLDEST.join('.') +
      ' or newer, and this is ' +
      process.version +
      ' (' +
      process.execPath +
      '); install Node.js 24 from https://nodejs.org or with your version manager, then run this again\n',
  )
  process.exitCode = 2
} else {
  import('node:module')
    .then((module) => {
      // What was compiled once is read from a cache from then on: a third of the time to the first word.
      module.enableCompileCache()
      return import('../node/cli/main.ts')
    })
    .then((cli) => cli.main(process.argv.slice(2)))
}
