// How a client talks to the test that drives it: one JSON value a line. The test sends the settings first; the client asks for
// an address to be opened in a browser and gets the callback URL where the browser came to rest; at the end it says what it has.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import process from 'node:process'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const resolver = createRequire(process.cwd() + '/')

/** A package of the folder that this process runs in. */
export const installed = async (name) => import(pathToFileURL(resolver.resolve(name)))
/** A package there that is CommonJS, or whose `exports` have only `import`. */
export const required = (name) => resolver(name)

export const say = (value) => process.stdout.write(JSON.stringify(value) + '\n')

export async function hear() {
  const { value, done } = await lines.next()
  if (done) throw new Error('the test went away')
  return JSON.parse(value)
}

/** Opens an address in the test's browser; where that came to rest. */
export async function visit(url) {
  say({ open: String(url) })
  return new URL((await hear()).at)
}

/** Runs a client to its end: its answer, or its error, is the last line. */
export async function run(client) {
  try {
    say({ done: await client(await hear()) })
    process.exit(0)
  } catch (error) {
    const { name, message, code, error: kind, error_description: description } = error
    say({ failed: { name, message, code, error: kind, description, cause: String(error.cause ?? '') } })
    process.exit(1)
  }
}
