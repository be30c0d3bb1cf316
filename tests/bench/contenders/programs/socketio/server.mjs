// Socket.IO as its documentation has it: who connects joins a room, what is said goes to everybody in it.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

if (process.env.REDIS_URL) {
  const publisher = createClient({ url: process.env.REDIS_URL });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

io.on("connection", (socket) => {
  const { room } = socket.handshake.auth;
  socket.join(room);
  socket.on("message", (body) => io.to(room).emit("message", body));
});

// Its documentation's advice on memory: the handshake's request is not kept.
io.engine.on("connection", (rawSocket) => {
  rawSocket.request = null;
});

http.listen(Number(process.env.PORT), "127.0.0.1");
