/* An endpoint whose word for TTFT does not depend on when it gets to run: the kernel's stamp of a request's last segment, and the
 * kernel's stamp of the segment with the first content as it leaves. ConverseStream over plain HTTP, one epoll loop.
 *
 *   endpoint <content events> <first TTFT, ms> <spread of TTFT, ms> <gap between events, us>
 *
 * First line of output: the port. When stdin ends: a line a request, its id and its TTFT in ns.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
    int fd, used, sent, request;
    int64_t due, received;
    char in[65536];
} Connection;

static Connection *connections[MOST];
static Connection *heap[MOST];
static int heap_size;
static int64_t *rows;
static int requests, events, first_ms, spread_ms, gap_us;
static char head[512], start[512], delta[512], tail[1024];
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

static void put(Connection *c, const char *data, int size) {
    if (send(c->fd, data, size, MSG_NOSIGNAL) != size) fail("send");
}

/* Send the first content, and return the stamp of its leaving. */
static int64_t put_stamped(Connection *c) {
    char control[CMSG_SPACE(4)] = {0}, answer[512];
    struct iovec io = {delta, delta_size};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET; h->cmsg_type = SO_TIMESTAMPING; h->cmsg_len = CMSG_LEN(4);
    *(uint32_t *)CMSG_DATA(h) = SOF_TIMESTAMPING_TX_SOFTWARE;
    if (sendmsg(c->fd, &m, MSG_NOSIGNAL) != delta_size) fail("sendmsg");
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
    if (!c->sent++) rows[c->request] = put_stamped(c) - c->received;
    else put(c, delta, delta_size);
    if (c->sent < events) {
        c->due = now + (int64_t)gap_us * 1000; /* an endpoint that was late does not send what it owes at once */
        push(c);
    } else {
        put(c, tail, tail_size);
    }
}

static void begin(Connection *c, int64_t stamp) {
    c->request = requests++;
    if (requests >= MOST_ROWS || !stamp) { fprintf(stderr, "too many requests, or one without a stamp\n"); exit(1); }
    c->received = stamp;
    c->sent = 0;
    int n = sprintf(head, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nx-amzn-RequestId: r%d\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n", c->request);
    put(c, head, n);
    put(c, start, start_size);
    c->due = monotonic() + (first_ms + (spread_ms ? (c->request * 7919) % spread_ms : 0)) * 1000000ll;
    push(c);
}

static void on_readable(Connection *c) {
    char control[512];
    struct iovec io = {c->in + c->used, sizeof c->in - 1 - c->used};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int n = recvmsg(c->fd, &m, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { connections[c->fd] = NULL; close(c->fd); free(c); return; }
    c->used += n;
    c->in[c->used] = 0;
    char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "content-length:");
    if (!end || !length || c->used < end + 4 - c->in + atoi(length + 15)) return;
    c->used = 0;
    begin(c, stamp_of(&m));
}

static void accept_one(int listening, int poll) {
    int fd = accept(listening, NULL, NULL), one = 1, reported = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
    if (fd < 0 || fd >= MOST) fail("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &reported, sizeof reported);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    Connection *c = connections[fd] = calloc(1, sizeof *c);
    c->fd = fd;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
}

int main(int argc, char **argv) {
    if (argc != 5) { fprintf(stderr, "see the head of endpoint.c\n"); return 2; }
    events = atoi(argv[1]); first_ms = atoi(argv[2]); spread_ms = atoi(argv[3]); gap_us = atoi(argv[4]);
    rows = calloc(MOST_ROWS, sizeof *rows);
    build();
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    if (bind(listening, (struct sockaddr *)&at, size) || listen(listening, 4096)) fail("listen");
    getsockname(listening, (struct sockaddr *)&at, &size);
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
    for (int i = 0; i < requests; i++) printf("r%d %lld\n", i, (long long)rows[i]);
    return 0;
}
