/* An endpoint whose word for TTFT does not depend on when it gets to run: the kernel's stamp of a request's last segment, and the
 * kernel's stamp of the segment with the first content as it leaves. ConverseStream and Chat Completions, over plain HTTP or TLS,
 * one epoll loop. TLS runs in memory above the socket, so that the stamps are those of the segments with its records.
 *
 *   endpoint <content events> <first TTFT, ms> <spread of TTFT, ms> <gap between events, us> [<certificate> <key>]
 *
 * First line of output: the port. When stdin ends: a line a request, its id and its TTFT in ns. GET /_simulator/ledger: a line of
 * JSON a request, as the simulator has it: request_id, invocation_id (the request's x-request-id), received_ns, ended_ns.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 8192
#define MOST_ROWS 2000000

typedef struct {
    int fd, used, sent, request, chat;
    int64_t due, received;
    SSL *tls;
    BIO *from, *to;
    char in[65536];
} Connection;

typedef struct {
    int64_t ttft, received, ended;
    char invocation[64];
} Row;

static Connection *connections[MOST];
static Connection *heap[MOST];
static int heap_size;
static Row *rows;
static SSL_CTX *context;
static int requests, events, first_ms, spread_ms, gap_us;
static char head[512], start[512], delta[512], tail[1024], said[2048];
static int start_size, delta_size, tail_size;

static void fail(const char *what) { perror(what); exit(1); }

static int64_t monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint32_t crc(const unsigned char *data, int size) {
    uint32_t c = ~0u;
    for (int i = 0; i < size; i++) {
        c ^= data[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0xEDB88320u : c >> 1;
    }
    return ~c;
}

static int header(unsigned char *to, const char *name, const char *value) {
    int n = strlen(name), v = strlen(value), at = 0;
    to[at++] = n;
    memcpy(to + at, name, n); at += n;
    to[at++] = 7;
    to[at++] = v >> 8; to[at++] = v & 255;
    memcpy(to + at, value, v);
    return at + v;
}

static void number(unsigned char *to, uint32_t value) { value = htonl(value); memcpy(to, &value, 4); }

/* One event in one chunk. */
static int event(char *to, const char *name, const char *json) {
    unsigned char frame[1024];
    int h = header(frame + 12, ":event-type", name);
    h += header(frame + 12 + h, ":content-type", "application/json");
    h += header(frame + 12 + h, ":message-type", "event");
    int j = strlen(json), total = 16 + h + j;
    memcpy(frame + 12 + h, json, j);
    number(frame, total); number(frame + 4, h); number(frame + 8, crc(frame, 8));
    number(frame + total - 4, crc(frame, total - 4));
    int n = sprintf(to, "%x\r\n", total);
    memcpy(to + n, frame, total);
    memcpy(to + n + total, "\r\n", 2);
    return n + total + 2;
}

static void build(void) {
    char usage[200];
    start_size = event(start, "messageStart", "{\"role\":\"assistant\"}");
    delta_size = event(delta, "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"words \"},\"p\":\"abcdefghijklmnopqrstuvwxyz\"}");
    sprintf(usage, "{\"usage\":{\"inputTokens\":1,\"outputTokens\":%d,\"totalTokens\":%d},\"metrics\":{\"latencyMs\":1}}", events, events + 1);
    tail_size = event(tail, "messageStop", "{\"stopReason\":\"end_turn\"}");
    tail_size += event(tail + tail_size, "metadata", usage);
    memcpy(tail + tail_size, "0\r\n\r\n", 5);
    tail_size += 5;
}

static void sift(int i) {
    Connection *c = heap[i];
    while (i && heap[(i - 1) / 2]->due > c->due) { heap[i] = heap[(i - 1) / 2]; i = (i - 1) / 2; }
    heap[i] = c;
}

static void push(Connection *c) { heap[heap_size] = c; sift(heap_size++); }

static Connection *pop(void) {
    Connection *top = heap[0], *last = heap[--heap_size];
    int i = 0;
    for (;;) {
        int child = 2 * i + 1;
        if (child >= heap_size) break;
        if (child + 1 < heap_size && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= last->due) break;
        heap[i] = heap[child];
        i = child;
    }
    if (heap_size) heap[i] = last;
    return top;
}

static int64_t stamp_of(struct msghdr *m) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && (c->cmsg_type == SO_TIMESTAMPING || c->cmsg_type == SO_TIMESTAMPNS)) {
            struct timespec *t = (struct timespec *)CMSG_DATA(c);
            if (t->tv_sec) return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
        }
    return 0;
}

/* What goes over the wire for `data`: itself, or the records of TLS, which is handshakes too. */
static int wired(Connection *c, const char **data, int size) {
    static char records[16384];
    if (!c->tls) return size;
    if (size && SSL_write(c->tls, *data, size) != size) fail("SSL_write");
    *data = records;
    return BIO_ctrl_pending(c->to) ? BIO_read(c->to, records, sizeof records) : 0;
}

static void put(Connection *c, const char *data, int size) {
    size = wired(c, &data, size);
    if (size && send(c->fd, data, size, MSG_NOSIGNAL) != size) fail("send");
}

/* A chunk of Chat Completions. */
static int chunk_of(char *to, int request, const char *choices, const char *more) {
    char event[1024];
    int n = sprintf(event, "data: {\"id\":\"chatcmpl-r%d\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
                           "\"choices\":[%s]%s}\n\n", request, choices, more);
    return sprintf(to, "%x\r\n%s\r\n", n, event);
}

static int chat_choice(char *to, int request, const char *delta_of, const char *finish) {
    char choice[256];
    sprintf(choice, "{\"index\":0,\"delta\":%s,\"finish_reason\":%s}", delta_of, finish);
    return chunk_of(to, request, choice, "");
}

static int chat_tail(char *to, int request) {
    char usage[128];
    sprintf(usage, ",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":%d,\"total_tokens\":%d}", events, events + 1);
    int n = chat_choice(to, request, "{}", "\"stop\"");
    n += chunk_of(to + n, request, "", usage);
    return n + sprintf(to + n, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
}

/* A content event of either API. */
static const char *content(Connection *c, int *size) {
    *size = delta_size;
    if (c->chat) *size = chat_choice(said, c->request, "{\"content\":\"words \"}", "null");
    return c->chat ? said : delta;
}

/* Send the first content, and return the stamp of its leaving. */
static int64_t put_stamped(Connection *c) {
    char control[CMSG_SPACE(4)] = {0}, answer[512];
    int size;
    const char *data = content(c, &size);
    size = wired(c, &data, size);
    struct iovec io = {(void *)data, size};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET; h->cmsg_type = SO_TIMESTAMPING; h->cmsg_len = CMSG_LEN(4);
    *(uint32_t *)CMSG_DATA(h) = SOF_TIMESTAMPING_TX_SOFTWARE;
    if (sendmsg(c->fd, &m, MSG_NOSIGNAL) != size) fail("sendmsg");
    int64_t found = 0;
    for (;;) {
        struct msghdr e = {.msg_control = answer, .msg_controllen = sizeof answer};
        if (recvmsg(c->fd, &e, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
        found = stamp_of(&e);
    }
    if (!found) { fprintf(stderr, "no stamp of what was sent\n"); exit(1); }
    return found;
}

static void step(Connection *c, int64_t now) {
    int size;
    if (!c->sent++) {
        rows[c->request].ttft = put_stamped(c) - c->received;
    } else {
        const char *data = content(c, &size);
        put(c, data, size);
    }
    if (c->sent < events) {
        c->due = now + (int64_t)gap_us * 1000; /* an endpoint that was late does not send what it owes at once */
        push(c);
    } else {
        if (c->chat) put(c, said, chat_tail(said, c->request));
        else put(c, tail, tail_size);
        rows[c->request].ended = monotonic();
    }
}

/* The ledger, in pieces that are one record of TLS each. */
static void tell_ledger(Connection *c) {
    static char line[256];
    char *all = malloc(requests * sizeof line + 1);
    int size = 0;
    for (int i = 0; i < requests; i++)
        size += sprintf(all + size, "{\"request_id\":\"r%d\",\"invocation_id\":\"%s\",\"received_ns\":%lld,\"ended_ns\":%lld}\n", i,
                        rows[i].invocation, (long long)rows[i].received, (long long)rows[i].ended);
    fcntl(c->fd, F_SETFL, 0);
    put(c, head, sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", size));
    for (int at = 0; at < size; at += 4096) put(c, all + at, size - at < 4096 ? size - at : 4096);
    free(all);
}

static void begin(Connection *c, int64_t stamp) {
    c->request = requests++;
    if (requests >= MOST_ROWS || !stamp) { fprintf(stderr, "too many requests, or one without a stamp\n"); exit(1); }
    c->received = stamp;
    c->sent = 0;
    c->chat = strstr(c->in, "/chat/completions") != NULL;
    rows[c->request].received = monotonic();
    char *invocation = strcasestr(c->in, "\r\nx-request-id:");
    if (invocation) sscanf(invocation + 15, " %63[0-9a-zA-Z-]", rows[c->request].invocation);
    int n = sprintf(head, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nx-amzn-RequestId: r%d\r\nTransfer-Encoding: chunked\r\n\r\n",
                    c->chat ? "text/event-stream" : "application/vnd.amazon.eventstream", c->request);
    put(c, head, n);
    if (c->chat) put(c, said, chat_choice(said, c->request, "{\"role\":\"assistant\",\"content\":\"\"}", "null"));
    else put(c, start, start_size);
    c->due = monotonic() + (first_ms + (spread_ms ? (c->request * 7919) % spread_ms : 0)) * 1000000ll;
    push(c);
}

static void leave(Connection *c) {
    connections[c->fd] = NULL;
    close(c->fd);
    if (c->tls) SSL_free(c->tls);
    free(c);
}

/* Of `n` bytes of the wire at `raw`, what they are in clear goes to the end of what came; 0: nothing yet, < 0: it is over. */
static int cleared(Connection *c, const char *raw, int n) {
    if (BIO_write(c->from, raw, n) != n) fail("BIO_write");
    int all = 0, got;
    while ((got = SSL_read(c->tls, c->in + c->used + all, sizeof c->in - 1 - c->used - all)) > 0) all += got;
    int why = SSL_get_error(c->tls, got);
    put(c, NULL, 0);
    ERR_clear_error();
    return all ? all : why == SSL_ERROR_WANT_READ ? 0 : -1;
}

static void on_readable(Connection *c) {
    static char raw[65536];
    char control[512];
    struct iovec io = {c->in + c->used, sizeof c->in - 1 - c->used};
    if (c->tls) io = (struct iovec){raw, sizeof raw};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int n = recvmsg(c->fd, &m, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0 && c->tls) {
        n = cleared(c, raw, n);
        if (!n) return;
    }
    if (n <= 0) { leave(c); return; }
    c->used += n;
    c->in[c->used] = 0;
    if (!strncmp(c->in, "GET /_simulator/ledger", 22) && strstr(c->in, "\r\n\r\n")) { c->used = 0; tell_ledger(c); return; }
    char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "content-length:");
    if (!end || !length || c->used < end + 4 - c->in + atoi(length + 15)) return;
    c->used = 0;
    begin(c, stamp_of(&m));
}

static void accept_one(int listening, int poll) {
    int fd = accept(listening, NULL, NULL), one = 1;
    if (fd < 0 || fd >= MOST) fail("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    Connection *c = connections[fd] = calloc(1, sizeof *c);
    c->fd = fd;
    if (context) {
        c->tls = SSL_new(context);
        c->from = BIO_new(BIO_s_mem());
        c->to = BIO_new(BIO_s_mem());
        SSL_set_bio(c->tls, c->from, c->to);
        SSL_set_accept_state(c->tls);
    }
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
}

/* Connections get these options as they are made: a request may be there before its connection is accepted, and needs a stamp. */
static void stamp_all(int listening) {
    int one = 1, reported = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
    if (setsockopt(listening, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one)) fail("SO_TIMESTAMPNS");
    if (setsockopt(listening, SOL_SOCKET, SO_TIMESTAMPING, &reported, sizeof reported)) fail("SO_TIMESTAMPING");
}

/* The kernel begins to stamp when it gets to it, later on busy cores: wait until a byte that is sent to oneself has its stamp. */
static void wait_for_stamps(int listening, struct sockaddr_in *at) {
    for (int64_t end = monotonic() + 10000000000; monotonic() < end; usleep(10000)) {
        int out = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(out, (struct sockaddr *)at, sizeof *at) || send(out, "", 1, 0) != 1) fail("connect");
        int in = accept(listening, NULL, NULL);
        char control[512], byte;
        struct iovec io = {&byte, 1};
        struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        int stamped = recvmsg(in, &m, 0) == 1 && stamp_of(&m);
        close(out);
        close(in);
        if (stamped) return;
    }
    fprintf(stderr, "the kernel stamps nothing here\n");
    exit(1);
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 7) { fprintf(stderr, "see the head of endpoint.c\n"); return 2; }
    events = atoi(argv[1]); first_ms = atoi(argv[2]); spread_ms = atoi(argv[3]); gap_us = atoi(argv[4]);
    rows = calloc(MOST_ROWS, sizeof *rows);
    build();
    if (argc == 7) {
        context = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(context, argv[5]) != 1) fail(argv[5]);
        if (SSL_CTX_use_PrivateKey_file(context, argv[6], SSL_FILETYPE_PEM) != 1) fail(argv[6]);
    }
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    stamp_all(listening);
    if (bind(listening, (struct sockaddr *)&at, size) || listen(listening, 4096)) fail("listen");
    getsockname(listening, (struct sockaddr *)&at, &size);
    wait_for_stamps(listening, &at);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listening}, in = {.events = EPOLLIN, .data.fd = 0}, ready[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &e);
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &in);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (int over = 0; !over;) {
        int64_t now = monotonic();
        while (heap_size && heap[0]->due <= now) step(pop(), now);
        int wait = heap_size ? (heap[0]->due - monotonic()) / 1000000 : 1000;
        int n = epoll_wait(poll, ready, 256, wait < 0 ? 0 : wait);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == 0) over = 1;
            else if (fd == listening) accept_one(listening, poll);
            else if (connections[fd]) on_readable(connections[fd]);
        }
    }
    for (int i = 0; i < requests; i++) printf("r%d %lld\n", i, (long long)rows[i].ttft);
    return 0;
}
