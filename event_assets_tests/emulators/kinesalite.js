// Kinesis on a free port of the loopback interface, kept in the folder argv[2]; ends with its parent's pipe.
const kinesalite = require('kinesalite')

const options = { path: process.argv[2], createStreamMs: 20, deleteStreamMs: 20, updateStreamMs: 20, shardLimit: 1000 }
const server = kinesalite(options)
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
process.stdin.on('end', () => process.exit(0)).resume()
