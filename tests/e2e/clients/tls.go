// SPDX-License-Identifier: Apache-2.0

// Go's crypto/tls as a client and as a server, with nothing but the standard library. It says on stdout, a line of JSON each,
// what it did.
//
//	serve CERT KEY                    a server that speaks HTTP/1.1 and HTTP/2, until its stdin ends; what is asked
//	                                  below /held/ it answers when it gets a line there
//	calls BASE N WIDTH h1|h2          N calls, WIDTH at the same time; a collection of garbage now and then
//	steps ADDRESS CA                  as steps.py
//	stack ADDRESS PATH TAG            reads into buffers on its stack, which is moved while it reads
//	wrapped ADDRESS PATH TAG          its TLS writes to a connection that wraps another
//	refused ADDRESS PATH TAG          one call, and writes that fail before, between and behind
//	early CERT KEY                    a server that answers before it has read the question, and reads no more of it
//	cut ADDRESS PATH TAG              a long question to that one; it closes when it has the answer
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

type told map[string]any

var stdout sync.Mutex

func say(what told) {
	line, _ := json.Marshal(what)
	stdout.Lock()
	defer stdout.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func question(tag string, stream bool, padding int) []byte {
	text := "[" + tag + "] hello" + strings.Repeat(" again", padding)
	body, _ := json.Marshal(told{"model": "gpt-4o-mini", "stream": stream,
		"messages": []told{{"role": "user", "content": text}}})
	return body
}

func request(address string, path string, tag string, stream bool) []byte {
	body := question(tag, stream, 0)
	head := "POST " + path + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n"
	return append([]byte(head), body...)
}

func trusting(ca string) *tls.Config {
	text, err := os.ReadFile(ca)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

// ---- the server ----

var gate = make(chan bool)

func answer(w http.ResponseWriter, r *http.Request) {
	asked, _ := io.ReadAll(r.Body)
	if strings.HasPrefix(r.URL.Path, "/held/") {
		<-gate
	}
	body, _ := json.Marshal(told{"id": "chatcmpl-go", "object": "chat.completion", "model": "gpt-4o-mini",
		"choices": []told{{"index": 0, "finish_reason": "stop",
			"message": told{"role": "assistant", "content": fmt.Sprintf("%d bytes", len(asked))}}},
		"usage": told{"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

func serve(cert string, key string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	say(told{"port": listener.Addr().(*net.TCPAddr).Port})
	go func() { must(http.ServeTLS(listener, http.HandlerFunc(answer), cert, key)) }()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		gate <- true
	}
}

// ---- many calls ----

func calls(base string, count int, width int, version string) {
	transport := &http.Transport{ForceAttemptHTTP2: version == "h2", TLSClientConfig: trusting(os.Getenv("SSL_CERT_FILE"))}
	if version == "h1" {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		transport.DisableKeepAlives = count > 100 // addresses of connections come again
	}
	client := &http.Client{Transport: transport}
	tickets, done := make(chan int), sync.WaitGroup{}
	for i := 0; i < width; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for number := range tickets {
				tag := "go-" + strconv.Itoa(number)
				asked := question(tag, false, number%7*2000)
				response, err := client.Post(base+"/v1/chat/completions", "application/json", bytes.NewReader(asked))
				must(err)
				got, err := io.ReadAll(response.Body)
				must(err)
				response.Body.Close()
				say(told{"tag": tag, "request_bytes": len(asked), "response_bytes": len(got), "http": response.ProtoMajor})
			}
		}()
	}
	for i := 0; i < count; i++ {
		tickets <- i
		if i%20 == 0 {
			runtime.GC()
		}
	}
	close(tickets)
	done.Wait()
}

// ---- step by step ----

func steps(address string, ca string) {
	conn, err := tls.Dial("tcp", address, trusting(ca))
	must(err)
	say(told{"pid": os.Getpid()})
	answers, lines := bufio.NewReader(conn), bufio.NewScanner(os.Stdin)
	var body io.Reader
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if words[0] != "rest" {
			_, err := conn.Write(request(address, words[1], words[2], words[0] == "stream"))
			must(err)
			response, err := http.ReadResponse(answers, nil)
			must(err)
			body = response.Body
		}
		if words[0] == "stream" {
			size, _ := strconv.Atoi(words[3])
			io.ReadFull(body, make([]byte, size))
			say(told{"tag": words[2]})
			continue
		}
		got, err := io.ReadAll(body)
		must(err)
		what := told{"response_bytes": len(got)}
		if len(words) > 2 {
			what["tag"], what["request_bytes"] = words[2], len(question(words[2], false, 0))
		}
		say(what)
	}
}

// ---- a stack that moves ----

//go:noinline
func deep(levels int) byte {
	var room [4096]byte
	if levels > 0 {
		room[levels%4096] = deep(levels - 1)
	}
	return room[0]
}

// The stack has grown before, is much too large now, and so is shrunk by each collection of garbage: while this waits.
//
//go:noinline
func read(conn *tls.Conn, moved *int64) (int, error) {
	var buffer [700]byte
	before := uintptr(unsafe.Pointer(&buffer[0]))
	n, err := conn.Read(buffer[:])
	if uintptr(unsafe.Pointer(&buffer[0])) != before {
		atomic.AddInt64(moved, 1)
	}
	return n, err
}

func stack(address string, path string, tag string) {
	conn, err := tls.Dial("tcp", address, trusting(os.Getenv("SSL_CERT_FILE")))
	must(err)
	asked := bytes.Replace(request(address, path, tag, true), []byte("Host:"), []byte("Connection: close\r\nHost:"), 1)
	_, err = conn.Write(asked)
	must(err)
	var moved int64
	total, over := 0, make(chan bool)
	go func() {
		for err == nil {
			var n int
			deep(40)
			n, err = read(conn, &moved)
			total += n
		}
		over <- true
	}()
	for {
		select {
		case <-over:
			say(told{"sent": len(asked), "received": total, "moved": moved})
			conn.Close()
			return
		case <-time.After(5 * time.Millisecond):
			runtime.GC()
		}
	}
}

// ---- another's connection in between ----

type counted struct {
	net.Conn
	bytes int64
}

func (c *counted) Write(b []byte) (int, error) {
	atomic.AddInt64(&c.bytes, int64(len(b)))
	return c.Conn.Write(b)
}

func exchange(conn net.Conn, address string, path string, tag string) (int, int) {
	asked := request(address, path, tag, false)
	_, err := conn.Write(asked)
	must(err)
	var seen bytes.Buffer
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &seen)), nil)
	must(err)
	_, err = io.Copy(io.Discard, response.Body)
	must(err)
	return len(asked), seen.Len()
}

func wrapped(address string, path string, tag string) {
	plain, err := net.Dial("tcp", address)
	must(err)
	conn := tls.Client(&counted{Conn: plain}, trusting(os.Getenv("SSL_CERT_FILE")))
	sent, received := exchange(conn, address, path, tag)
	say(told{"sent": sent, "received": received})
	conn.Close()
}

// ---- writes that fail ----

func fails(conn *tls.Conn, path string) {
	if n, err := conn.Write(request("localhost", path, "lost-1", false)); n != 0 || err == nil {
		must(errors.New("a write that had to fail has not"))
	}
}

func refused(address string, path string, tag string) {
	plain, err := net.Dial("tcp", address)
	must(err)
	fails(tls.Client(plain, &tls.Config{ServerName: "localhost", RootCAs: x509.NewCertPool()}), path)
	plain.Close()

	conn, err := tls.Dial("tcp", address, trusting(os.Getenv("SSL_CERT_FILE")))
	must(err)
	sent, received := exchange(conn, address, path, tag)
	conn.SetWriteDeadline(time.Now().Add(-time.Second))
	fails(conn, path)
	conn.Close()
	fails(conn, path)
	say(told{"sent": sent, "received": received})
}

// ---- a write that is cut ----

func early(cert string, key string) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	must(err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	must(err)
	say(told{"port": listener.Addr().(*net.TCPAddr).Port})
	go func() {
		for {
			conn, err := listener.Accept()
			must(err)
			io.ReadFull(conn, make([]byte, 1000))
			time.Sleep(300 * time.Millisecond) // until there is no room for more
			conn.Write([]byte("HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"))
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}

func cut(address string, path string, tag string) {
	conn, err := tls.Dial("tcp", address, trusting(os.Getenv("SSL_CERT_FILE")))
	must(err)
	body := question(tag, false, 2000000)
	head := "POST " + path + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n"
	asked, sent := append([]byte(head), body...), make(chan int)
	go func() {
		n, err := conn.Write(asked)
		if err == nil {
			must(errors.New("a write that had to fail has not"))
		}
		sent <- n
	}()
	answer := make([]byte, 1000)
	n, err := conn.Read(answer)
	must(err)
	conn.Close()
	say(told{"sent": <-sent, "received": n, "asked": len(asked)})
}

func main() {
	args := append(os.Args[1:], "", "", "", "", "")
	number := func(i int) int { n, _ := strconv.Atoi(args[i]); return n }
	switch args[0] {
	case "serve":
		serve(args[1], args[2])
	case "calls":
		calls(args[1], number(2), number(3), args[4])
	case "steps":
		steps(args[1], args[2])
	case "stack":
		stack(args[1], args[2], args[3])
	case "wrapped":
		wrapped(args[1], args[2], args[3])
	case "refused":
		refused(args[1], args[2], args[3])
	case "early":
		early(args[1], args[2])
	case "cut":
		cut(args[1], args[2], args[3])
	default:
		os.Exit(2)
	}
}
