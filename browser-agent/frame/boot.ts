/** All that the frame does before a person agrees. */

/** What is loaded afterwards, with its hash: written in by the build. */
declare const PINS: Record<string, { name: string; sha384: string }>

const [main] = document.getElementsByTagName('main')
if (main) main.title = Object.keys(PINS).join(' ')
