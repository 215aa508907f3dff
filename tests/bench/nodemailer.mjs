// Sends mails over nodemailer's pool and prints the seconds it took. Arguments: port, mails, connections, bytes of text.
import { createRequire } from "node:module";

const nodemailer = createRequire(`${process.env.NODE_FOLDER}/`)("nodemailer");
const [port, mails, connections, bytes] = process.argv.slice(2).map(Number);
const transport = nodemailer.createTransport({
  host: "127.0.0.1", port, secure: false, ignoreTLS: true,
  pool: true, maxConnections: connections, maxMessages: Infinity,
});
const text = "Kinh moi Quy vi tra loi phieu khao sat.\n".repeat(Math.ceil(bytes / 40));
const began = process.hrtime.bigint();
const sends = [];
for (let mail = 1; mail <= mails; mail += 1) {
  sends.push(transport.sendMail({
    from: "khaosat@khaosat.example", to: `p${mail}@soyte.example`, subject: "Khao sat", text,
  }));
}
const ended = await Promise.allSettled(sends);
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
const failed = ended.filter((send) => send.status !== "fulfilled").length;
if (failed > 0) throw new Error(`${failed} mails failed`);
transport.close();
console.log(seconds);
