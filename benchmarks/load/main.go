// Command load drives the mesh port: unary calls over TLS 1.3, on fresh or kept connections; gRPC as MarbleRun's
// Marbles do, or Connect over HTTP/1.1 as those of sealmesh do.
//
// It uses Go's standard library only. Requests come from a JSON file that the benchmark wrote: each has a
// PEM certificate and key and the message that goes with them. The result is one JSON line.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

type identity struct {
	Cert, Key, Message string
	pair               tls.Certificate
	frame              []byte
}

type result struct {
	OK, Failed        int64
	Seconds           float64
	P50ms, P99ms      float64
	FirstError        string
	BytesIn           int64
	RequestsPerSecond float64
}

// connect is whether to speak Connect instead of gRPC.
var connect bool

// offers are the application protocols named in the handshake.
var offers = []string{"h2"}

func client(id *identity) *http.Client {
	return &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{
		ForceAttemptHTTP2: !connect,
		TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, // the benchmark measures the server; a Marble verifies Evidence instead
			Certificates:       []tls.Certificate{id.pair},
			MinVersion:         tls.VersionTLS13,
			CurvePreferences:   []tls.CurveID{tls.CurveP256},
			NextProtos:         offers,
		},
	}}
}

func call(ctx context.Context, c *http.Client, url string, frame []byte) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(frame))
	if err != nil {
		return 0, err
	}
	if connect {
		req.Header.Set("Content-Type", "application/proto")
		req.Header.Set("Connect-Protocol-Version", "1")
	} else {
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("TE", "trailers")
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return 0, err
	}
	if connect {
		if resp.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("HTTP status %d %s", resp.StatusCode, body)
		}
		return int64(len(body)), nil
	}
	status := resp.Trailer.Get("Grpc-Status")
	if status == "" {
		status = resp.Header.Get("Grpc-Status")
	}
	if status != "0" {
		return 0, fmt.Errorf("grpc-status %s %s%s", status, resp.Trailer.Get("Grpc-Message"), resp.Header.Get("Grpc-Message"))
	}
	return int64(len(body)), nil
}

// handshake opens a connection and waits for the server's first HTTP/2 frame, so that the server has seen
// the client certificate before it hangs up.
func handshake(addr string, id *identity) error {
	conn, err := tls.Dial("tcp", addr, &tls.Config{
		InsecureSkipVerify: true,
		Certificates:       []tls.Certificate{id.pair},
		MinVersion:         tls.VersionTLS13,
		CurvePreferences:   []tls.CurveID{tls.CurveP256},
		NextProtos:         offers,
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 9))
	return err
}

func main() {
	file := flag.String("identities", "", "JSON list of identities")
	addr := flag.String("addr", "", "host:port")
	method := flag.String("method", "/rpc.Marble/Activate", "gRPC path")
	total := flag.Int("n", 100, "calls")
	workers := flag.Int("c", 4, "concurrent callers")
	kept := flag.Bool("kept", false, "keep connections")
	offer := flag.String("offer", "", "one more application protocol to name")
	flag.BoolVar(&connect, "connect", false, "speak Connect over HTTP/1.1")
	bare := flag.Bool("handshake", false, "only shake hands, then hang up")
	flag.Parse()
	if connect {
		offers = []string{"http/1.1"}
	}
	if *offer != "" {
		offers = append(offers, *offer)
	}

	raw, err := os.ReadFile(*file)
	if err != nil {
		panic(err)
	}
	var ids []*identity
	if err := json.Unmarshal(raw, &ids); err != nil {
		panic(err)
	}
	for _, id := range ids {
		if id.pair, err = tls.X509KeyPair([]byte(id.Cert), []byte(id.Key)); err != nil {
			panic(err)
		}
		message, err := base64.StdEncoding.DecodeString(id.Message)
		if err != nil {
			panic(err)
		}
		if connect {
			id.frame = message
			continue
		}
		id.frame = make([]byte, 5, 5+len(message))
		binary.BigEndian.PutUint32(id.frame[1:], uint32(len(message)))
		id.frame = append(id.frame, message...)
	}

	var out result
	var next, bytesIn atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	latencies := make([]float64, 0, *total)
	url := "https://" + *addr + *method
	start := time.Now()
	for w := 0; w < *workers; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			own := ids[w%len(ids)]
			keptClient := client(own)
			for {
				i := int(next.Add(1)) - 1
				if i >= *total {
					return
				}
				id, c := own, keptClient
				if !*kept {
					id = ids[i%len(ids)]
					c = client(id)
				}
				begin := time.Now()
				var n int64
				var err error
				if *bare {
					err = handshake(*addr, id)
				} else {
					n, err = call(context.Background(), c, url, id.frame)
				}
				took := time.Since(begin).Seconds() * 1000
				if !*kept {
					c.CloseIdleConnections()
				}
				mu.Lock()
				latencies = append(latencies, took)
				if err != nil {
					out.Failed++
					if out.FirstError == "" {
						out.FirstError = err.Error()
					}
				} else {
					out.OK++
				}
				mu.Unlock()
				bytesIn.Add(n)
			}
		}(w)
	}
	wg.Wait()
	out.Seconds = time.Since(start).Seconds()
	out.BytesIn = bytesIn.Load()
	out.RequestsPerSecond = float64(out.OK) / out.Seconds
	sort.Float64s(latencies)
	if len(latencies) > 0 {
		out.P50ms = latencies[len(latencies)/2]
		out.P99ms = latencies[len(latencies)*99/100]
	}
	line, _ := json.Marshal(out)
	fmt.Println(string(line))
}
